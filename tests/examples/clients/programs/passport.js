// A site where people sign in with the provider, by passport-oauth1: node passport.js PROVIDER KEY SECRET
//
// Prints the port that it listens on. GET /login starts; the callback is /ready; both end in JSON.
"use strict";

const express = require("express");
const session = require("express-session");
const passport = require("passport");
const { Strategy } = require("passport-oauth1");

const [provider, consumerKey, consumerSecret] = process.argv.slice(2);
const app = express();
app.use(session({ secret: "kept by the test", resave: false, saveUninitialized: true }));

const server = app.listen(0, "127.0.0.1", () => {
  const { port } = server.address();
  const strategy = new Strategy(
    {
      requestTokenURL: `${provider}/initiate`,
      accessTokenURL: `${provider}/token`,
      userAuthorizationURL: `${provider}/authorize`,
      callbackURL: `http://127.0.0.1:${port}/ready`,
      consumerKey,
      consumerSecret,
    },
    (token, tokenSecret, profile, done) => {
      strategy._oauth.get(`${provider}/photos?file=vacation.jpg`, token, tokenSecret, (error, body) =>
        done(error && new Error(JSON.stringify(error)), error ? null : JSON.parse(body)),
      );
    },
  );
  passport.use("photos", strategy);
  const authenticate = passport.authenticate("photos", { session: false });
  app.get("/login", authenticate);
  app.get("/ready", authenticate, (request, response) => response.json(request.user));
  app.use((error, request, response, next) => response.status(500).json({ error: error.message, data: error.oauthError }));
  console.log(JSON.stringify({ port }));
});
