// Package oidc knows people by the tokens of an OpenID Connect provider, whichever
// it is: bearer tokens of programs and of `redoubt login`, and the sign-in of
// browsers. What it says of somebody is a provision.Principal.
//
// A token is believed where its signature is one of the issuer's published keys',
// by an algorithm that is allowed, and where issuer, audience, times and the claims
// that the configuration wants are right. An error says which of them is not, and
// never holds the token.
package oidc
