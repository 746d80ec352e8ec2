// Whether ims-lti, as a tool, accepts launches: node lti_provider.js LAUNCHES KEY SECRET. LAUNCHES is a JSON array of
// {"path", "host", "fields"}; one line is printed for each: true, or the error.
"use strict";

const lti = require("ims-lti");

const [launches, key, secret] = process.argv.slice(2);
for (const { path, host, fields } of JSON.parse(launches)) {
  const request = { method: "POST", url: path, headers: { host }, connection: { encrypted: true }, protocol: "https" };
  new lti.Provider(key, secret).valid_request(request, fields, (error, valid) => {
    console.log(JSON.stringify(valid || String(error.message || error)));
  });
}
