package storetest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"redoubt/automation/backend"
	"redoubt/automation/provision"
)

// full is a value with something in every field, in all that is below it, and with
// no two the same: what a store loses or mixes up shows, also of fields that are
// added later.
func full[T any]() T {
	var v T
	n := 0
	fill(reflect.ValueOf(&v).Elem(), &n)
	return v
}

func fill(v reflect.Value, n *int) {
	*n++
	switch into := v.Addr().Interface().(type) {
	case *time.Time:
		*into = at(*n)
		return
	case *json.RawMessage: // as nobody would write it: it comes back byte by byte
		*into = json.RawMessage(fmt.Sprintf("{ \"b<&>\" : %d,\n \"a\":1.50}", *n))
		return
	case *[]byte:
		*into = []byte{0, 255, byte(*n)}
		return
	case *map[string]any:
		*into = map[string]any{"ünï": fmt.Sprint("日本 🦊", *n), "list": []any{1.5, nil, true}}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("größe \"'\\<%d", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.25)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, n)
		fill(value, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("json") != "-" { // that is for nobody to keep
				fill(v.Field(i), n)
			}
		}
		if caller, ok := v.Addr().Interface().(*backend.Caller); ok {
			caller.Decided = false // it is about one call, and no store keeps it
		}
	default:
		panic(fmt.Sprintf("fill does not know what to do with a %s", v.Type()))
	}
}

// project has all that a project can have.
func project(id, org, name string) provision.Project {
	p := full[provision.Project]()
	p.ID, p.Org, p.Name, p.Version = id, org, name, 1
	return p
}

// nameOf is the stack's.
func nameOf(stackID string) backend.StackName {
	return backend.StackName{Org: "Acme", Project: "Shop", Stack: strings.ToUpper(stackID)}
}

// environment has all that one can have that is not deleted.
func environment(id, projectID string) provision.Environment {
	e := full[provision.Environment]()
	e.ID, e.ProjectID, e.Name, e.DeletedAt, e.Version = id, projectID, nameOf(id), time.Time{}, 1
	return e
}

// operation has all that one can have.
func operation(id, stackID, projectID string) provision.Operation {
	o := full[provision.Operation]()
	o.ID, o.StackID, o.ProjectID, o.Stack, o.Version = id, stackID, projectID, nameOf(stackID), 1
	return o
}

// must is for what a test prepares; update's transaction fails by it.
func must(errs ...error) {
	for _, err := range errs {
		if err != nil {
			panic(err)
		}
	}
}

// order makes an environment with its stack.
func order(tx provision.Tx, e provision.Environment) {
	must(tx.CreateStack(backend.Stack{ID: e.ID, Name: nameOf(e.ID)}), tx.CreateEnvironment(e))
}

// ordered makes project "prj", environment "stk" and operation "op" of it.
func ordered(tx provision.Tx) {
	must(tx.CreateProject(project("prj", "Acme", "Shop")))
	order(tx, environment("stk", "prj"))
	must(tx.CreateOperation(operation("op", "stk", "prj")))
}
