"""A throw-away provider for people who write or test clients: ``async-oauth1 serve``, and the pytest fixture.

presets       what other providers demand of their clients, as data
settings      the settings, and clients with random credentials
provider      the Quart application, and all that belongs to it
rules         the servers, with what a preset demands
echo          the view that answers what it received, and routes for any path
consent       the authorization page
recorder      records each request, and puts refusals in the words of the preset
explaining    explains requests after their answers
records       what is remembered of each request
secrecy       masks secrets in everything that is shown
pages         the page that shows the requests
listening     sockets, and hypercorn
terminal      lines for people and for programs
"""
