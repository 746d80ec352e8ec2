# One dance by Net::OAuth, sent by LWP: perl dance.pl METHOD PROVIDER KEY SECRET CALLBACK
#
# Prints the temporary token as JSON, reads the verifier from standard input, and prints what the protected resources
# answered. METHOD: HMAC-SHA1 or PLAINTEXT.
use strict;
use warnings;
use utf8;

use HTTP::Request::Common qw(GET POST);
use JSON::PP;
use LWP::UserAgent;
use Net::OAuth;

$Net::OAuth::PROTOCOL_VERSION = Net::OAuth::PROTOCOL_VERSION_1_0A;
$| = 1;
my ($method, $provider, $key, $secret, $callback) = @ARGV;
my $agent = LWP::UserAgent->new;

sub send_signed {
    my ($kind, $verb, $url, %more) = @_;
    my $request = Net::OAuth->request($kind)->new(
        consumer_key => $key, consumer_secret => $secret, request_url => $url, request_method => $verb,
        signature_method => $method, timestamp => time, nonce => join('', map { int rand 10 } 1 .. 16), %more,
    );
    $request->sign;
    my @header = (Authorization => $request->to_authorization_header);
    my $answer = $agent->request(
        $verb eq 'GET' ? GET($url, @header) : POST($url, @header, Content => [%{ $more{extra_params} // {} }]));
    die $answer->status_line . "\n" . $answer->decoded_content . "\n" unless $answer->is_success;
    return $answer->decoded_content;
}

sub credentials {
    my ($kind, $text) = @_;
    my $answer = Net::OAuth->response($kind)->from_post_body($text);
    return (token => $answer->token, token_secret => $answer->token_secret);
}

my %temporary = credentials('request token', send_signed('request token', 'POST', "$provider/initiate", callback => $callback));
print encode_json({ oauth_token => $temporary{token} }), "\n";
chomp(my $verifier = <STDIN>);
my %token = credentials('access token', send_signed('access token', 'POST', "$provider/token", %temporary, verifier => $verifier));
my $photo = send_signed('protected resource', 'GET', "$provider/photos?file=vacation.jpg&size=original", %token);
my $echo = send_signed('protected resource', 'POST', "$provider/echo/a%2Fb", %token,
    extra_params => { a => '1', b => 'x y+z', d => q{!*'()} });
print encode_json({ photo => decode_json($photo), echo => decode_json($echo) }), "\n";
