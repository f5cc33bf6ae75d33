package data

import (
	"fmt"
	"regexp"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// BackupTag is the tag by whose value, the tier, a backup plan selects what it
// backs up.
const BackupTag = "backup"

// backupTier is a tag value that reads well in a resource's name too.
var backupTier = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// tiered returns the tags of a resource that the backup plan of a tier
// selects; an empty tier leaves it out of every plan.
func tiered(tags map[string]string, name, tier string) pulumi.StringMap {
	out := tagged(tags, name)
	if tier != "" {
		out[BackupTag] = pulumi.String(tier)
	}
	return out
}

// checkTier wants a tier or none, and no second one in the tags.
func checkTier(tier string, tags map[string]string) []error {
	var findings []error
	if tier != "" && !backupTier.MatchString(tier) {
		findings = append(findings, fmt.Errorf("backupTier: %q (1 to 63 lower-case letters, digits and hyphens, a letter first)", tier))
	}
	if other, set := tags[BackupTag]; set {
		findings = append(findings, fmt.Errorf("tags[%q]: %q (name the tier in backupTier)", BackupTag, other))
	}
	return findings
}
