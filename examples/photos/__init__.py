"""photos.example.net: the provider in the example of RFC 5849 (section 1.2), as a complete program.

Jane keeps her photos here, and lets printer.example.com print one.

    __main__      the entry point
    command       opens the stores and the socket, and serves
    settings      the command line and the environment
    serving/      one or several processes, under hypercorn
    app           the Quart application
    api           the endpoints of OAuth 1.0, and the protected resources
    applications  those that she has let in, and the one that waits
    pages         the pages for users: sign-in, consent, applications
    errors        error responses, for clients and for browsers
    forms         reading page forms
    sessions      the session cookie and CSRF tokens
    passwords     checking passwords, with a delay after a wrong one
    users         users, passwords and sessions, in memory or in SQL
    storage       the stores and the users together
"""
