"""Request targets and root paths, as servers report them."""
