// Package webhook delivers what is in the outbox, as Standard Webhooks 1.0.0:
//
//	webhook-id: dlv_01j…
//	webhook-timestamp: 1795000000
//	webhook-signature: v1,K5oZ…= v1,…
//
// A receiver checks the signature (HMAC-SHA256 over id.timestamp.body with the
// webhook's secret), and takes an id that it has seen for a repetition: a delivery
// whose answer was lost comes again. Order is not promised.
//
// Addresses are the users', and the service stands in a network with other things
// in it: a connection is made only to public addresses, looked at after the name
// was resolved, and redirects are not followed.
package webhook
