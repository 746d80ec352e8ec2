// The signature that ims-lti gives to a launch: node lti_launch.js URL FIELDS SECRET, the fields as a JSON object.
"use strict";

const HmacSha1 = require("ims-lti/lib/hmac-sha1");
const url = require("node:url");

const [target, fields, secret] = process.argv.slice(2);
const parsed = url.parse(target, true);
const shown = `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
console.log(JSON.stringify(new HmacSha1().build_signature_raw(shown, parsed, "POST", JSON.parse(fields), secret)));
