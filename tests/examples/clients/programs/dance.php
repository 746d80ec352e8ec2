<?php
// One dance by pecl's OAuth: php dance.php PLACE PROVIDER KEY SECRET CALLBACK
//
// Prints the temporary token as JSON, reads the verifier from standard input, and prints what the protected resources
// answered. PLACE: header, form or query.

[, $place, $provider, $key, $secret, $callback] = $argv;
$places = [
    'header' => OAUTH_AUTH_TYPE_AUTHORIZATION,
    'form' => OAUTH_AUTH_TYPE_FORM,
    'query' => OAUTH_AUTH_TYPE_URI,
];
try {
    $client = new OAuth($key, $secret, OAUTH_SIG_METHOD_HMACSHA1, $places[$place]);
    $temporary = $client->getRequestToken("$provider/initiate", $callback, 'POST');
    echo json_encode(['oauth_token' => $temporary['oauth_token']]), "\n";
    flush();
    $verifier = trim(fgets(STDIN));
    $client->setToken($temporary['oauth_token'], $temporary['oauth_token_secret']);
    $token = $client->getAccessToken("$provider/token", null, $verifier, 'POST');
    $client->setToken($token['oauth_token'], $token['oauth_token_secret']);
    if ($place !== 'form') {
        $client->fetch("$provider/photos", ['file' => 'vacation.jpg', 'size' => 'original'], 'GET');
        $answers['photo'] = json_decode($client->getLastResponse());
    }
    $client->fetch("$provider/echo/a%2Fb", ['a' => '1', 'b' => 'x y+z', 'c' => 'ä&=', 'd' => "!*'()"], 'POST');
    $answers['echo'] = json_decode($client->getLastResponse());
    echo json_encode($answers), "\n";
} catch (OAuthException $error) {
    fwrite(STDERR, $error->getMessage() . "\n" . $error->lastResponse . "\n");
    exit(1);
}
