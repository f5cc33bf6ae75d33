package replay

import (
	"bytes"
	"fmt"
)

// Some entries are not about a resource but about the deployment around them.

// maxRebuilds keeps the time of a replay linear. An engine rebuilds the base once
// after each refresh, and refreshes once.
const maxRebuilds = 100

// rebuild makes what the entries came to so far the base. An engine that stored
// states before it, which are not where we put them in its own list, must stop.
func (f *folder) rebuild() error {
	if f.rebuilds++; f.rebuilds > maxRebuilds {
		return fmt.Errorf("it rebuilds the base state for more than the %dth time", maxRebuilds)
	}
	f.sealed = f.sealed || len(f.stored) > 0
	base, err := f.generate()
	if err == nil {
		f.rebase(base)
	}
	return err
}

// write replaces the base, as the engine does before the first step. Marks stay:
// there are none yet.
func (f *folder) write(e entry) error {
	if e.newSnapshot.empty() {
		return fmt.Errorf("it writes a state and has none")
	}
	base, err := parseDeployment(e.doc, e.newSnapshot)
	if err != nil {
		return fmt.Errorf("newSnapshot: %w", err)
	}
	f.base = base
	marks := make([]oldMark, len(base.resources))
	copy(marks, f.old)
	f.old = marks
	return nil
}

// secretsManager keeps the base's where it is the same, with all its fields.
func (f *folder) secretsManager(e entry) error {
	if e.secretsProvider.empty() {
		if f.base.secretsProviders != nil {
			return fmt.Errorf("it takes the secrets manager away")
		}
		return nil
	}
	provider := e.secretsProvider.of(e.doc)
	kind, state, err := secretsManagerOf(provider)
	if err != nil {
		return err
	}
	if f.base.secretsProviders != nil {
		oldKind, oldState, err := secretsManagerOf(f.base.secretsProviders)
		if err != nil {
			return err
		}
		if kind == oldKind && bytes.Equal(state, oldState) {
			return nil
		}
	}
	f.base.secretsProviders = provider
	return nil
}

func secretsManagerOf(doc []byte) (kind string, state []byte, err error) {
	err = eachField(doc, whole(doc), func(key []byte, value span) (err error) {
		switch string(keyName(key)) {
		case "type":
			kind, err = stringAt(doc, value)
		case "state":
			state = value.of(doc)
		}
		return err
	})
	if err != nil {
		err = fmt.Errorf("secrets provider: %w", err)
	}
	return kind, state, err
}

func (f *folder) extensionParameterize(e entry) error {
	if e.extensionRef.empty() || e.extension.empty() {
		return fmt.Errorf("it parameterizes an extension and does not have all of it")
	}
	if _, err := stringAt(e.doc, e.extensionRef); err != nil {
		return fmt.Errorf("extensionRef: %w", err)
	}
	f.extensions = append(f.extensions, extension{e.extensionRef.of(e.doc), e.extension.of(e.doc)})
	return nil
}
