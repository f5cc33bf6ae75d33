package sql

import (
	"context"
	"reflect"
	"time"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

var _ provision.Tx = (*tx)(nil)

// Provisioning is a Store that Open returned, as package provision sees it: the
// same database, the same connections and the same transactions. It says no for
// any other Store; one that is wrapped is unwrapped first.
func Provisioning(store backend.Store) (provision.Store, bool) {
	switch store.(type) {
	case *sqliteStore, *postgresStore:
		return provisioning{store}, true
	}
	return nil, false
}

type provisioning struct{ backend.Store }

// View implements provision.Store.
func (p provisioning) View(ctx context.Context, read func(provision.Tx) error) error {
	return p.Store.View(ctx, func(t backend.Tx) error { return read(t.(*tx)) })
}

// Update implements provision.Store.
func (p provisioning) Update(ctx context.Context, write func(provision.Tx) error) error {
	return p.Store.Update(ctx, func(t backend.Tx) error { return write(t.(*tx)) })
}

// swap is an UPDATE of a row that still has the version of the arguments. The
// columns have "id" and "version" among them.
func (c columns) swap(table string) string {
	set, which := "version = version + 1", ""
	for i, name := range c {
		is := name + " = " + placeholders(i+1, 1)
		switch name {
		case "id":
			which = is + which
		case "version":
			which += " AND " + is
		default:
			set += ", " + is
		}
	}
	return "UPDATE " + table + " SET " + set + " WHERE " + which
}

// swap runs one, and counts the version up.
func (t *tx) swap(table, id string, version *int64, statement string, args ...any) error {
	n, err := t.exec(statement, args...)
	if err != nil {
		return err
	}
	if n == 0 {
		if _, err := one(t, value[int64], "SELECT 1 FROM "+table+" WHERE id = $1", id); err != nil {
			return err
		}
		return provision.ErrVersion
	}
	*version++
	return nil
}

// lock locks a row, and returns ErrNotFound where there is none. What is read
// after it, by a statement of its own, is as the one before has left it: also
// what is joined to the row.
func (t *tx) lock(table, id string) error {
	t.at = time.Time{}
	if t.in.forUpdate == "" {
		return nil // there is one writer, and it is us
	}
	_, err := one(t, value[int64], "SELECT 1 FROM "+table+" WHERE id = $1"+t.in.forUpdate, id)
	return err
}

// docOf reads what asJSON wrote, with times as columns have them. It is scanned
// first: the columns write over what they know better.
//
// Where the model says omitempty, an empty list or map comes back as nil. Bytes
// that are not UTF-8 come back as U+FFFD.
type docOf struct{ into any }

// Scan implements sql.Scanner.
func (d docOf) Scan(from any) error {
	if err := jsonOf(d).Scan(from); err != nil {
		return err
	}
	settle(reflect.ValueOf(d.into).Elem())
	return nil
}

// settle brings all times in a value to UTC and to the microsecond.
func settle(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			settle(v.Elem())
		}
	case reflect.Slice:
		if kind := v.Type().Elem().Kind(); kind != reflect.Struct && kind != reflect.Pointer {
			return
		}
		for i := range v.Len() {
			settle(v.Index(i))
		}
	case reflect.Struct:
		if at, ok := v.Addr().Interface().(*time.Time); ok {
			if !at.IsZero() {
				*at = at.UTC().Truncate(time.Microsecond)
			}
			return
		}
		for i := range v.NumField() {
			settle(v.Field(i))
		}
	}
}

// in is "column IN (…)".
func (w *where) in(column string, args []any) {
	list := ""
	for i, arg := range args {
		if i > 0 {
			list += ", "
		}
		list += w.arg(arg)
	}
	w.and(column + " IN (" + list + ")")
}

// texts are strings of any type as arguments.
func texts[S ~string](list []S) []any {
	args := make([]any, len(list))
	for i, s := range list {
		args[i] = string(s)
	}
	return args
}
