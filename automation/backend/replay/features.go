package replay

import "slices"

// A deployment names the features that it uses, so that a CLI that does not know
// one of them refuses it instead of losing something. With any feature its
// version is 4, without 3.

// featureSet is a set of the features that this package recognizes.
type featureSet uint16

const (
	featureByteString featureSet = 1 << iota
	featureExtension
	featureHooks
	featureRefreshBeforeUpdate
	featureReplaceWith
	featureSnippets
	featureTaint
	featureViews
)

var featureNames = []struct {
	feature featureSet
	name    string
}{
	{featureByteString, "byteString"},
	{featureExtension, "extensionParameterization"},
	{featureHooks, "hooks"},
	{featureRefreshBeforeUpdate, "refreshBeforeUpdate"},
	{featureReplaceWith, "replaceWith"},
	{featureSnippets, "snippets-prototype"},
	{featureTaint, "taint"},
	{featureViews, "views"},
}

func (s *featureSet) put(f featureSet, on bool) {
	if on {
		*s |= f
	} else {
		*s &^= f
	}
}

// hiddenFeatures are those of a stored deployment that no field of its resources
// shows: byteString may be about strings inside encrypted secrets, and a newer
// CLI's features about anything. They hold for as long as one of the resources is
// there. (Pulumi's replayer never sees the list, and forgets them.)
type hiddenFeatures []string

func hiddenOf(features []string) *hiddenFeatures {
	var hidden hiddenFeatures
	for _, name := range features {
		known := false
		for _, f := range featureNames {
			known = known || f.name == name && f.feature != featureByteString
		}
		if !known {
			hidden = append(hidden, name)
		}
	}
	if hidden == nil {
		return nil
	}
	return &hidden
}

// readFeature looks at a field for the feature that it asks for alone.
func (r *resource) readFeature(doc, key []byte, value span) error {
	switch string(keyName(key)) {
	case "refreshBeforeUpdate":
		on, err := boolAt(doc, value)
		r.features.put(featureRefreshBeforeUpdate, on)
		return err
	case "taint":
		on, err := boolAt(doc, value)
		r.features.put(featureTaint, on)
		return err
	case "resourceHooks":
		r.features.put(featureHooks, false)
		return eachField(doc, value, func([]byte, span) error {
			r.features.put(featureHooks, true)
			return nil
		})
	case "extensionRef":
		ref, err := stringAt(doc, value)
		r.features.put(featureExtension, ref != "")
		return err
	case "snippetID":
		id, err := stringAt(doc, value)
		r.features.put(featureSnippets, id != "")
		return err
	}
	return nil
}

// features collects those of a deployment's resources.
type features struct {
	seen   featureSet
	hidden *hiddenFeatures
}

// add counts a resource in; byteStrings says that the journal had strings that
// are not UTF-8, wherever.
func (f *features) add(r *resource, byteStrings bool) {
	f.seen |= r.features
	if byteStrings {
		f.seen |= featureByteString
	}
	if r.hidden != nil {
		f.hidden = r.hidden // There is one list: that of the first base.
	}
}

// names lists them, sorted.
func (f *features) names() []string {
	var names []string
	for _, known := range featureNames {
		if f.seen&known.feature != 0 {
			names = append(names, known.name)
		}
	}
	if f.hidden != nil {
		names = append(names, *f.hidden...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
