"""printer.example.com: the client in the example of RFC 5849 (section 1.2).

__main__    the flow, step by step
browser     Jane's browser, which follows redirects and fills in forms
steps       the steps in words
story       shows each step on one screen
wire        sends the messages, and prints them
"""
