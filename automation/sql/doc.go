// Package sql keeps the backend's data in SQLite, for one process and no
// server, or in PostgreSQL, for any number of processes. Both pass the suite of
// package storetest, which says what a Store means.
//
// One text of SQL serves both wherever possible. What differs is in two places:
// sqlite.go and writer.go, which gives all writers one connection and many of
// them one fsync; and postgres.go, which locks rows and tries again.
package sql
