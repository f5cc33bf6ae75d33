package blueprint

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// edit returns the properties with the values at their paths, and leaves its
// argument as it is. A path is dotted; "rules[name=Daily].lifecycle" goes
// into the element of a list whose property has that value, "rules[0]" into the
// first. What is on the way to a property must be there, and be known.
func edit(props pulumi.Map, set map[string]any) (pulumi.Map, error) {
	var out pulumi.Input = maps.Clone(props)
	for _, path := range slices.Sorted(maps.Keys(set)) {
		var err error
		if out, err = editAt(out, steps(path), set[path]); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return out.(pulumi.Map), nil
}

var step = regexp.MustCompile(`\[[^\]]*\]|[^.\[\]]+`)

// steps cuts a path: "a.b[c=d.e]" is a, b, [c=d.e].
func steps(path string) []string { return step.FindAllString(path, -1) }

func editAt(in pulumi.Input, path []string, value any) (pulumi.Input, error) {
	if len(path) == 0 {
		return input(value), nil
	}
	if selector, isElement := strings.CutPrefix(path[0], "["); isElement {
		return editElement(in, strings.TrimSuffix(selector, "]"), path[1:], value)
	}
	object, ok := in.(pulumi.Map)
	if !ok {
		return nil, fmt.Errorf("%s is in no known object", path[0])
	}
	object = maps.Clone(object)
	if len(path) == 1 && value == Gone {
		if _, has := object[path[0]]; !has {
			return nil, fmt.Errorf("%w: %s is not set", ErrNotHere, path[0])
		}
		delete(object, path[0])
		return object, nil
	}
	inner, err := editAt(object[path[0]], path[1:], value)
	if err != nil {
		return nil, err
	}
	object[path[0]] = inner
	return object, nil
}

func editElement(in pulumi.Input, selector string, path []string, value any) (pulumi.Input, error) {
	list, ok := in.(pulumi.Array)
	if !ok {
		return nil, fmt.Errorf("[%s] is in no known list", selector)
	}
	i := slices.IndexFunc(list, func(e pulumi.Input) bool { return selects(e, selector) })
	if selector == "0" && len(list) > 0 {
		i = 0
	}
	if i < 0 {
		return nil, fmt.Errorf("no element is [%s]", selector)
	}
	list = slices.Clone(list)
	if len(path) == 0 && value == Gone {
		return slices.Delete(list, i, i+1), nil
	}
	inner, err := editAt(list[i], path, value)
	if err != nil {
		return nil, err
	}
	list[i] = inner
	return list, nil
}

// selects says whether the element is an object with the property's value, or
// the text itself.
func selects(e pulumi.Input, selector string) bool {
	key, want, isProperty := strings.Cut(selector, "=")
	object, isObject := e.(pulumi.Map)
	if isProperty && isObject {
		return object[key] == pulumi.Input(pulumi.String(want))
	}
	return e == pulumi.Input(pulumi.String(selector))
}

// input is plain data as a program gives it to a resource.
func input(value any) pulumi.Input {
	switch value := value.(type) {
	case string:
		return pulumi.String(value)
	case bool:
		return pulumi.Bool(value)
	case int:
		return pulumi.Int(value)
	case []any:
		list := make(pulumi.Array, len(value))
		for i, e := range value {
			list[i] = input(e)
		}
		return list
	case map[string]any:
		object := make(pulumi.Map, len(value))
		for key, v := range value {
			object[key] = input(v)
		}
		return object
	default:
		panic(fmt.Sprintf("%T is not plain data", value))
	}
}
