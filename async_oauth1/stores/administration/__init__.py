"""What operators do with clients and token credentials: disable and enable, search, and read page by page."""
