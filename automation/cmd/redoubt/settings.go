package main

import (
	"fmt"
	"reflect"
	"strconv"

	"github.com/alecthomas/kong"

	"redoubt/automation/server"
)

// settings makes the flags of all settings of a server: pointers, so that it
// can be told which were given. The settings are a table, and this is what
// makes a struct for kong of it.
func settings() kong.Plugins {
	fields := make([]reflect.StructField, 0, len(server.Settings()))
	for i, s := range server.Settings() {
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
		for i, s := range server.Settings() {
			switch field := v.Field(i); {
			case field.IsNil():
			case s.List:
				flags[s.Flag] = field.Interface()
			default:
				flags[s.Flag] = field.Elem().Interface()
			}
		}
	}
	return flags
}
