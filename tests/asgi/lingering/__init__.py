"""The end of an early response is delayed while the body still arrives."""
