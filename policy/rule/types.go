package rule

import (
	"slices"
	"strings"
)

// aliases maps the spellings of one resource type to the canonical one.
//
// The provider has the load balancer resources under three modules, and its
// major version 7 drops the suffix V2 of the S3 resources
// (pulumi/pulumi-aws#3803), so that one rule must know both names.
var aliases = map[string]string{
	"s3/bucketV2":                                  "s3/bucket",
	"s3/bucketAclV2":                               "s3/bucketAcl",
	"s3/bucketCorsConfigurationV2":                 "s3/bucketCorsConfiguration",
	"s3/bucketLifecycleConfigurationV2":            "s3/bucketLifecycleConfiguration",
	"s3/bucketLoggingV2":                           "s3/bucketLogging",
	"s3/bucketObjectLockConfigurationV2":           "s3/bucketObjectLockConfiguration",
	"s3/bucketRequestPaymentConfigurationV2":       "s3/bucketRequestPaymentConfiguration",
	"s3/bucketServerSideEncryptionConfigurationV2": "s3/bucketServerSideEncryptionConfiguration",
	"s3/bucketVersioningV2":                        "s3/bucketVersioning",
	"s3/bucketWebsiteConfigurationV2":              "s3/bucketWebsiteConfiguration",
}

// modules maps alternative modules to the canonical one.
var modules = map[string]string{
	"alb":                      "lb",
	"elasticloadbalancingv2":   "lb",
	"applicationloadbalancing": "lb",
	"elasticloadbalancing":     "elb",
}

// Canonical returns the canonical short form of a type: "kms/key" for
// "aws:kms/key:Key", "lb/listener" for "aws:alb/listener:Listener",
// "s3/bucket" for "aws:s3/bucketV2:BucketV2". A type of another package is
// returned as it is.
func Canonical(token string) string {
	short := shortToken(token)
	if module, name, ok := strings.Cut(short, "/"); ok {
		if m, has := modules[module]; has {
			short = m + "/" + name
		}
	}
	if c, ok := aliases[short]; ok {
		return c
	}
	return short
}

// shortToken returns "kms/key" for "aws:kms/key:Key".
func shortToken(token string) string {
	rest, ok := strings.CutPrefix(token, "aws:")
	if !ok {
		return token
	}
	short, _, _ := strings.Cut(rest, ":")
	return short
}

// Spellings returns the full tokens under which a program may declare the type,
// sorted: "aws:alb/listener:Listener" and the others for "lb/listener". A type of
// another package has the one that it is.
func Spellings(token string) []string {
	canonical := Canonical(token)
	if strings.Contains(canonical, ":") {
		return []string{canonical}
	}
	shorts := []string{canonical}
	for alias, of := range aliases {
		if of == canonical {
			shorts = append(shorts, alias)
		}
	}
	if module, name, ok := strings.Cut(canonical, "/"); ok {
		for alias, of := range modules {
			if of == module {
				shorts = append(shorts, alias+"/"+name)
			}
		}
	}
	for i, short := range shorts {
		shorts[i] = fullToken(short)
	}
	slices.Sort(shorts)
	return shorts
}

// fullToken returns "aws:kms/key:Key" for "kms/key".
func fullToken(short string) string {
	_, name, _ := strings.Cut(short, "/")
	return "aws:" + short + ":" + strings.ToUpper(name[:1]) + name[1:]
}
