"""printer.example.com: the client of RFC 5849's story (section 1.2).

__main__    the story, step by step
browser     Jane, who follows redirects and fills in forms
wire        carries the messages, and shows them
"""
