package main

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/alecthomas/kong"

	"redoubt/automation/server"
)

// settings makes the flags of a server's settings, of those that are named or of
// all: pointers, so that it can be told which were given. The settings are a
// table, and this is what makes a struct for kong of it.
func settings(keys ...string) kong.Plugins {
	fields := make([]reflect.StructField, 0, len(server.Settings()))
	for i, s := range server.Settings() {
		if len(keys) > 0 && !slices.Contains(keys, s.Key) {
			continue
		}
		kind := reflect.TypeFor[*string]()
		switch {
		case s.Switch:
			kind = reflect.TypeFor[*bool]()
		case s.List:
			kind = reflect.TypeFor[[]string]()
		}
		help := s.Help
		if value := s.Value(server.Defaults()); value != "" && value != "false" && s.Key != "data" {
			help += " By default " + value + "."
		}
		fields = append(fields, reflect.StructField{
			Name: "Setting" + strconv.Itoa(i), Type: kind,
			Tag: reflect.StructTag(fmt.Sprintf(`name:%q help:%q placeholder:"…"`, s.Flag, help)),
		})
	}
	return kong.Plugins{reflect.New(reflect.StructOf(fields)).Interface()}
}

// given are the flags that were given, by name.
func given(plugins kong.Plugins) map[string]any {
	flags := map[string]any{}
	for _, p := range plugins {
		v := reflect.ValueOf(p).Elem()
		for i := range v.NumField() {
			flag := v.Type().Field(i).Tag.Get("name")
			switch field := v.Field(i); {
			case field.IsNil():
			case field.Kind() == reflect.Slice:
				flags[flag] = field.Interface()
			default:
				flags[flag] = field.Elem().Interface()
			}
		}
	}
	return flags
}
