package network

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/wafv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// BotControl tells AWS's Bot Control group how far to look.
type BotControl struct {
	// Targeted also looks for bots that do not say so, by challenges and
	// sessions, at a higher price; otherwise only those that do are found.
	Targeted bool
	// Path, if set, is the start of the paths that are looked at, and paid for.
	Path string
}

// AccountTakeover tells AWS's Account Takeover Prevention group how people
// sign in, so that it finds stolen credentials. It looks at POST requests to
// WebAclArgs.LoginPath, which it needs.
type AccountTakeover struct {
	// JSON says that the body is JSON; otherwise it is a form.
	JSON bool
	// UsernameField and PasswordField are where the body has them: JSON
	// pointers such as "/user/name", or names of a form's fields.
	UsernameField, PasswordField string
}

// paidGroups are the groups that cost extra and are asked for.
func (args *WebAclArgs) paidGroups() []managedGroup {
	var groups []managedGroup
	if args.BotControl != nil {
		groups = append(groups, managedGroup{"AWSManagedRulesBotControlRuleSet", priorityBots, "BotControlMetric", 50, false, args.configureBots})
	}
	if args.AccountTakeover != nil {
		groups = append(groups, managedGroup{"AWSManagedRulesATPRuleSet", priorityTakeover, "AccountTakeoverMetric", 50, false, args.configureTakeover})
	}
	return groups
}

func (args *WebAclArgs) checkPaid(f *findings) {
	if b := args.BotControl; b != nil && b.Path != "" && !pathStart.MatchString(b.Path) {
		f.add("botControl.path", fmt.Sprintf("%q is no path", b.Path), "start it with / and keep it under 200 characters")
	}
	a := args.AccountTakeover
	if a == nil {
		return
	}
	f.required("loginPath", args.LoginPath != "", "account takeover prevention looks at the sign-in path alone")
	for _, field := range []struct{ name, value string }{{"usernameField", a.UsernameField}, {"passwordField", a.PasswordField}} {
		name := "accountTakeover." + field.name
		switch {
		case field.value == "":
			f.add(name, "missing", "say where a sign-in request has it")
		case a.JSON && !strings.HasPrefix(field.value, "/"):
			f.add(name, fmt.Sprintf("%q is no JSON pointer", field.value), "start it with /, for example /login/username")
		case len(field.value) > 512:
			f.add(name, fmt.Sprintf("%d characters", len(field.value)), "at most 512")
		}
	}
}

func (args *WebAclArgs) configureBots(s *managedStatement) {
	level := "COMMON"
	if args.BotControl.Targeted {
		level = "TARGETED"
	}
	s.ManagedRuleGroupConfigs = wafv2.WebAclRuleStatementManagedRuleGroupStatementManagedRuleGroupConfigArray{
		&wafv2.WebAclRuleStatementManagedRuleGroupStatementManagedRuleGroupConfigArgs{
			AwsManagedRulesBotControlRuleSet: &wafv2.WebAclRuleStatementManagedRuleGroupStatementManagedRuleGroupConfigAwsManagedRulesBotControlRuleSetArgs{
				InspectionLevel: pulumi.String(level), EnableMachineLearning: pulumi.Bool(args.BotControl.Targeted),
			},
		},
	}
	if args.BotControl.Path != "" {
		s.ScopeDownStatement = onPath(args.BotControl.Path)
	}
}

// onPath is pathStartsWith as a group's scope, which the SDK types apart.
func onPath(path string) *wafv2.WebAclRuleStatementManagedRuleGroupStatementScopeDownStatementArgs {
	var transforms wafv2.WebAclRuleStatementManagedRuleGroupStatementScopeDownStatementByteMatchStatementTextTransformationArray
	for i, transform := range pathTransforms {
		transforms = append(transforms, &wafv2.WebAclRuleStatementManagedRuleGroupStatementScopeDownStatementByteMatchStatementTextTransformationArgs{
			Priority: pulumi.Int(i), Type: pulumi.String(transform),
		})
	}
	return &wafv2.WebAclRuleStatementManagedRuleGroupStatementScopeDownStatementArgs{
		ByteMatchStatement: &wafv2.WebAclRuleStatementManagedRuleGroupStatementScopeDownStatementByteMatchStatementArgs{
			FieldToMatch: &wafv2.WebAclRuleStatementManagedRuleGroupStatementScopeDownStatementByteMatchStatementFieldToMatchArgs{
				UriPath: &wafv2.WebAclRuleStatementManagedRuleGroupStatementScopeDownStatementByteMatchStatementFieldToMatchUriPathArgs{},
			},
			PositionalConstraint: pulumi.String("STARTS_WITH"),
			SearchString:         pulumi.String(strings.ToLower(path)),
			TextTransformations:  transforms,
		},
	}
}

func (args *WebAclArgs) configureTakeover(s *managedStatement) {
	payload := "FORM_ENCODED"
	if args.AccountTakeover.JSON {
		payload = "JSON"
	}
	s.ManagedRuleGroupConfigs = wafv2.WebAclRuleStatementManagedRuleGroupStatementManagedRuleGroupConfigArray{
		&wafv2.WebAclRuleStatementManagedRuleGroupStatementManagedRuleGroupConfigArgs{
			AwsManagedRulesAtpRuleSet: &wafv2.WebAclRuleStatementManagedRuleGroupStatementManagedRuleGroupConfigAwsManagedRulesAtpRuleSetArgs{
				LoginPath: pulumi.String(args.LoginPath),
				// Responses are shown to WAF by CloudFront only.
				RequestInspection: &wafv2.WebAclRuleStatementManagedRuleGroupStatementManagedRuleGroupConfigAwsManagedRulesAtpRuleSetRequestInspectionArgs{
					PayloadType: pulumi.String(payload),
					UsernameField: &wafv2.WebAclRuleStatementManagedRuleGroupStatementManagedRuleGroupConfigAwsManagedRulesAtpRuleSetRequestInspectionUsernameFieldArgs{
						Identifier: pulumi.String(args.AccountTakeover.UsernameField),
					},
					PasswordField: &wafv2.WebAclRuleStatementManagedRuleGroupStatementManagedRuleGroupConfigAwsManagedRulesAtpRuleSetRequestInspectionPasswordFieldArgs{
						Identifier: pulumi.String(args.AccountTakeover.PasswordField),
					},
				},
			},
		},
	}
}
