"""photos.example.net: the provider of RFC 5849's story (section 1.2), as a complete program.

Jane keeps her photos here, and lets printer.example.com print one.

    __main__    where it begins
    command     prepare, listen, serve
    settings    what the command line and the environment say
    workers     several processes on one socket, and who looks after them
    server      one process, under hypercorn
    app         the Quart application, put together
    api         what clients call, signed
    pages       what Jane sees
    errors      what goes wrong, for both
    forms       reading her forms
    sessions    who she is, and the token that proves a form is hers
    passwords   checking hers, slower after each wrong one
    users       her name, her password and her sessions in a table
    storage     the stores that keep all this
"""
