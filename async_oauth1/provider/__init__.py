"""The flows of RFC 5849 section 2 and the verification of signed requests; they await hooks and do no I/O."""
