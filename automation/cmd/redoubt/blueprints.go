package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"redoubt/automation/client"
)

type blueprintsCommand struct {
	remote
	Name    string `arg:"" optional:"" help:"A blueprint, to see its inputs."`
	Version string `help:"A version of it; the newest where nothing is said." placeholder:"VERSION" name:"blueprint-version"`
	Example bool   `help:"Print an example of its inputs, for --inputs of redoubt order."`
}

// Help is the long text of redoubt blueprints --help.
func (blueprintsCommand) Help() string {
	return `Without a name it lists what can be ordered.

Examples:
  redoubt blueprints
  redoubt blueprints secure-bucket
  redoubt blueprints secure-bucket --example > inputs.json
  redoubt blueprints secure-bucket --json | jq .schema`
}

// Run carries the command out.
func (c *blueprintsCommand) Run(ctx context.Context, s *streams) error {
	service, err := c.service()
	if err != nil {
		return err
	}
	if c.Name == "" {
		if c.Example {
			return fmt.Errorf("an example of which blueprint? Name one of redoubt blueprints")
		}
		list, err := service.ListBlueprints(ctx)
		if err != nil {
			return err
		}
		return c.print(s, list.Items, func(w io.Writer) {
			fmt.Fprintln(w, "NAME\tVERSION\tWHAT IT IS")
			for _, b := range list.Items {
				fmt.Fprintf(w, "%s\t%s\t%s\n", b.Name, b.Version, b.Summary)
			}
		})
	}
	b, err := blueprintOf(ctx, service, c.Name, c.Version)
	if err != nil {
		return err
	}
	if c.Example {
		var example any
		if err := json.Unmarshal(b.Example, &example); err != nil {
			return fmt.Errorf("the example of blueprint %s cannot be read: %w", b.Name, err)
		}
		r := c.remote
		r.JSON = true // that is what an example is
		return r.print(s, example, nil)
	}
	inputs, err := inputsOf(b.Schema)
	if err != nil {
		return err
	}
	return c.print(s, b, func(w io.Writer) {
		fmt.Fprintf(w, "%s %s: %s\n\n", b.Name, b.Version, b.Summary)
		fmt.Fprintln(w, "INPUT\tTYPE\tNEEDED\tDEFAULT\tWHAT IT IS")
		for _, i := range inputs {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", i.name, i.kind, i.needed(), i.preset, i.text)
		}
	})
}

func blueprintOf(ctx context.Context, service *client.Client, name, version string) (client.Blueprint, error) {
	if version == "" {
		return service.GetBlueprint(ctx, name)
	}
	return service.GetBlueprintVersion(ctx, name, version)
}

func yesOrNo(b bool) string { return map[bool]string{true: "yes", false: "no"}[b] }

// input is a row of a blueprint's inputs: objects are taken apart, "a.b".
type input struct {
	name, kind, preset, text string
	required                 bool
	// within is the optional object that it is needed in, where that is given.
	within string
}

// needed says when an order fails without it.
func (i input) needed() string {
	if i.within != "" {
		return "with " + i.within
	}
	return yesOrNo(i.required)
}

// schema is a JSON Schema as far as a table shows it.
type schema struct {
	Type        any                `json:"type"`
	Description string             `json:"description"`
	Default     json.RawMessage    `json:"default"`
	Enum        []any              `json:"enum"`
	Properties  map[string]*schema `json:"properties"`
	Required    []string           `json:"required"`
	Items       *schema            `json:"items"`
	WriteOnly   bool               `json:"writeOnly"`
	Ref         string             `json:"$ref"`
	Defs        map[string]*schema `json:"$defs"`
}

// inputsOf are a schema's properties, needed ones first.
func inputsOf(text json.RawMessage) ([]input, error) {
	var root schema
	if err := json.Unmarshal(text, &root); err != nil {
		return nil, fmt.Errorf("the blueprint's schema cannot be read: %w", err)
	}
	inputs := root.inputs(&root, "", "", 0)
	slices.SortStableFunc(inputs, func(a, b input) int {
		switch {
		case a.required == b.required:
			return 0
		case a.required:
			return -1
		default:
			return 1
		}
	})
	return inputs, nil
}

// maxDepth is how far objects are taken apart: a schema may refer to itself.
const maxDepth = 6

// inputs are those of an object: prefix is its own name with a dot, optional the
// innermost object around it that an order may leave out; empty for none.
func (s *schema) inputs(root *schema, prefix, optional string, depth int) (out []input) {
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		p := s.Properties[name].resolve(root)
		needed := slices.Contains(s.Required, name)
		if len(p.Properties) > 0 && depth < maxDepth {
			around := optional
			if !needed {
				around = prefix + name // the innermost: who gives it gives what is needed in it
			}
			out = append(out, p.inputs(root, prefix+name+".", around, depth+1)...)
			continue
		}
		i := input{name: prefix + name, kind: p.kind(root), preset: string(p.Default), text: p.Description, required: needed && optional == ""}
		if needed {
			i.within = optional
		}
		out = append(out, i)
	}
	return out
}

func (s *schema) resolve(root *schema) *schema {
	for range maxDepth {
		name, ok := strings.CutPrefix(s.Ref, "#/$defs/")
		if !ok || root.Defs[name] == nil {
			break
		}
		s = root.Defs[name]
	}
	return s
}

// kind is a type for people: "string", "list of string", "one of a, b".
func (s *schema) kind(root *schema) string {
	text := fmt.Sprint(s.Type)
	switch {
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, v := range s.Enum {
			words[i] = fmt.Sprint(v)
		}
		text = "one of " + strings.Join(words, ", ")
	case s.Type == nil:
		text = "anything"
	case s.Items != nil:
		text = "list of " + s.Items.resolve(root).kind(root)
	}
	if s.WriteOnly {
		text += ", secret"
	}
	return text
}
