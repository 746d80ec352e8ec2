// Grades by ims-lti: node lti_outcomes.js OPTIONS CALLS. CALLS are the names of its methods and their arguments, as JSON;
// one line is printed for each, [error, result].
"use strict";

const { OutcomeService } = require("ims-lti/lib/extensions/outcomes");

const [options, calls] = process.argv.slice(2).map((text) => JSON.parse(text));
const service = new OutcomeService(options);

async function run() {
  for (const [method, ...given] of calls) {
    await new Promise((resolve) => {
      service[method](...given, (error, result) => {
        console.log(JSON.stringify([error ? String(error.message || error) : null, result]));
        resolve();
      });
    });
  }
}

run();
