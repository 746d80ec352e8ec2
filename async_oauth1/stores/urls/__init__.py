"""The URLs of stores: which backend opens them, and how they are shown without passwords."""
