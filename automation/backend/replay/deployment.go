package replay

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// deployment is an apitype.DeploymentV3: its parts as JSON, the resources read.
type deployment struct {
	manifest         json.RawMessage // Replay makes its own.
	secretsProviders json.RawMessage
	resources        []*resource
	pending          []operation
	metadata         json.RawMessage
	snippets         []*snippet
	extensions       []extension
	features         features
	// others are fields that this package does not know, as they came.
	others []extension
}

// operation is an apitype.OperationV2: a step that began and has not ended.
type operation struct {
	raw      json.RawMessage
	kind     string
	resource *resource
}

// extension is a key with what belongs to it.
type extension struct {
	key   []byte // As it is written.
	value json.RawMessage
}

// The versions of a deployment's format; 4 is 3 with features.
const (
	versionPlain    = 3
	versionFeatures = 4
)

// parseUntyped reads an apitype.UntypedDeployment. Nothing, null and an object
// without a deployment are the state of a stack that has none yet.
func parseUntyped(doc json.RawMessage) (*deployment, error) {
	inner, features, err := unwrap(doc)
	if err != nil || inner.from == inner.to {
		return &deployment{}, err
	}
	d, err := parseDeployment(doc, inner)
	if err != nil {
		return nil, err
	}
	if hidden := hiddenOf(features); hidden != nil {
		for _, r := range d.resources {
			r.hidden = hidden
		}
		for _, op := range d.pending {
			op.resource.hidden = hidden
		}
	}
	return d, nil
}

// unwrap finds the deployment inside an apitype.UntypedDeployment; the span is
// empty where there is none.
func unwrap(doc json.RawMessage) (inner span, features []string, err error) {
	if len(bytes.TrimSpace(doc)) == 0 {
		return span{}, nil, nil
	}
	if !json.Valid(doc) {
		return span{}, nil, errNotJSON
	}
	version := int64(0)
	err = eachField(doc, whole(doc), func(key []byte, value span) (err error) {
		switch string(keyName(key)) {
		case "version":
			var n *int64
			if n, err = integerAt(doc, value); n != nil {
				version = *n
			}
		case "features":
			features, err = stringsAt(doc, value)
		case "deployment":
			if inner = value; isNull(doc, value) {
				inner = span{}
			}
		}
		return err
	})
	if err == nil && version != 0 && version != versionPlain && version != versionFeatures {
		err = fmt.Errorf("version %d of the format of deployments is not one that this service can read: "+
			"it reads 3 and 4", version)
	}
	return inner, features, err
}

// parseDeployment reads the apitype.DeploymentV3 at s of a valid document.
func parseDeployment(doc []byte, s span) (*deployment, error) {
	d := &deployment{}
	err := eachField(doc, s, func(key []byte, value span) error {
		if err := d.read(doc, key, value); err != nil {
			return fmt.Errorf("%s: %w", keyName(key), err)
		}
		return nil
	})
	return d, err
}

func (d *deployment) read(doc, key []byte, value span) error {
	null := isNull(doc, value)
	switch string(keyName(key)) {
	case "manifest":
		d.manifest = value.of(doc)
	case "secrets_providers":
		if d.secretsProviders = nil; !null {
			d.secretsProviders = value.of(doc)
		}
	case "metadata":
		if d.metadata = nil; !null {
			d.metadata = value.of(doc)
		}
	case "resources":
		d.resources = nil
		return eachElement(doc, value, func(value span) error {
			r, err := parseResource(doc, value)
			if err != nil {
				return fmt.Errorf("resource %d: %w", len(d.resources), err)
			}
			d.resources = append(d.resources, r)
			return nil
		})
	case "pending_operations":
		d.pending = nil
		return eachElement(doc, value, func(value span) error {
			op, err := parseOperation(doc, value)
			if err != nil {
				return fmt.Errorf("operation %d: %w", len(d.pending), err)
			}
			d.pending = append(d.pending, op)
			return nil
		})
	case "snippets":
		var err error
		d.snippets, err = parseSnippets(doc, value)
		return err
	case "extensions":
		d.extensions = nil
		return eachField(doc, value, func(key []byte, value span) error {
			d.extensions = append(d.extensions, extension{key, value.of(doc)})
			return nil
		})
	default:
		d.others = append(d.others, extension{key, value.of(doc)})
	}
	return nil
}

func parseOperation(doc []byte, s span) (operation, error) {
	op := operation{raw: s.of(doc), resource: &resource{}}
	err := eachField(doc, s, func(key []byte, value span) (err error) {
		switch string(keyName(key)) {
		case "type":
			op.kind, err = stringAt(doc, value)
		case "resource":
			op.resource, err = parseResource(doc, value)
		}
		return err
	})
	return op, err
}

// write appends the deployment's JSON.
func (d *deployment) write(b *bytes.Buffer, manifest json.RawMessage) {
	b.WriteString(`{"manifest":`)
	b.Write(manifest)
	if d.secretsProviders != nil {
		b.WriteString(`,"secrets_providers":`)
		b.Write(d.secretsProviders)
	}
	writeList(b, `,"resources":[`, d.resources, func(r *resource) { r.write(b) })
	writeList(b, `,"pending_operations":[`, d.pending, func(op operation) { b.Write(op.raw) })
	b.WriteString(`,"metadata":`)
	if d.metadata == nil {
		b.WriteString("{}")
	}
	b.Write(d.metadata)
	writeList(b, `,"snippets":[`, d.snippets, func(s *snippet) { s.write(b) })
	for i, e := range d.extensions {
		if i == 0 {
			b.WriteString(`,"extensions":{`)
		} else {
			b.WriteByte(',')
		}
		b.Write(e.key)
		b.WriteByte(':')
		b.Write(e.value)
	}
	if len(d.extensions) > 0 {
		b.WriteByte('}')
	}
	for _, o := range d.others {
		b.WriteByte(',')
		b.Write(o.key)
		b.WriteByte(':')
		b.Write(o.value)
	}
	b.WriteByte('}')
}

func writeList[T any](b *bytes.Buffer, open string, list []T, write func(T)) {
	if len(list) == 0 {
		return
	}
	b.WriteString(open)
	for i, item := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		write(item)
	}
	b.WriteByte(']')
}

// manifest is what stands at the head of a deployment. The CLI refuses one whose
// magic is not made from its version.
func manifest(at time.Time, version string) json.RawMessage {
	var b bytes.Buffer
	b.WriteString(`{"time":`)
	quote(&b, at.Format(time.RFC3339Nano))
	b.WriteString(`,"magic":`)
	quote(&b, magicOf(version))
	b.WriteString(`,"version":`)
	quote(&b, version)
	b.WriteByte('}')
	return b.Bytes()
}

// magicOf makes a manifest's magic, by which the CLI sees that somebody changed
// the version.
func magicOf(version string) string {
	if version == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(version))
	return hex.EncodeToString(sum[:])
}
