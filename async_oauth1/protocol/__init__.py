"""RFC 5849 section 3 over octets: no I/O, no framework, no policy decisions."""
