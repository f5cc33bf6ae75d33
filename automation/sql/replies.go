package sql

import (
	"time"

	"redoubt/automation/provision"
)

var replyColumns = columns{"principal", "key", "route", "request_hash", "status", "header", "body", "created_at"}

var (
	insertReply = replyColumns.insert("replies")
	selectReply = "SELECT " + replyColumns.list() + " FROM replies" + whichReply
)

const (
	whichReply = " WHERE principal = $1 AND key = $2 AND route = $3"
	endReply   = "UPDATE replies SET status = $4, header = $5, body = $6" + whichReply
)

// BeginReply implements provision.Tx.
func (t *tx) BeginReply(r provision.Reply) error {
	return t.insert(insertReply, r.Principal, r.Key, r.Route, blob(r.RequestHash), int64(0), asJSON(map[string]string(nil)), []byte{}, micros(r.CreatedAt))
}

// Reply implements provision.Tx.
func (t *tx) Reply(principal, key, route string) (provision.Reply, error) {
	return one(t, func(r row) (a provision.Reply, err error) {
		err = r.Scan(&a.Principal, &a.Key, &a.Route, bytesOf{&a.RequestHash}, &a.Status, jsonOf{&a.Header}, bytesOf{&a.Body}, moment{&a.CreatedAt})
		return a, err
	}, selectReply, principal, key, route)
}

// EndReply implements provision.Tx: it writes the answer, and nothing about the
// request.
func (t *tx) EndReply(r provision.Reply) error {
	return t.change(endReply, r.Principal, r.Key, r.Route, int64(r.Status), asJSON(r.Header), blob(r.Body))
}

// DropReply implements provision.Tx.
func (t *tx) DropReply(principal, key, route string) error {
	return t.change("DELETE FROM replies"+whichReply, principal, key, route)
}

// PruneReplies implements provision.Tx.
func (t *tx) PruneReplies(before time.Time, limit int) (int64, error) {
	return t.prune("replies", "principal, key, route", "created_at < $1", before, limit)
}
