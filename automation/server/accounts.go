package server

import (
	"context"

	"redoubt/automation/awssts"
	"redoubt/automation/operate"
)

// checkAccounts finds what is wrong with where orders go in AWS. An API node runs
// none, and needs no list.
func (p Provisioning) checkAccounts(found report) {
	switch {
	case p.Accounts != "":
		if p.Account != operate.AWS {
			found("provisioning.accounts", "is for provisioning.account %s, and that is %s", operate.AWS, p.Account)
		}
		if _, err := awssts.ReadAccounts(p.Accounts); err != nil {
			found("provisioning.accounts", "%v", err)
		}
	case p.Account == operate.AWS && p.Role != roleAPI && p.Role != roleNone:
		found("provisioning.accounts", "account %s needs the list of accounts and roles (docs/aws.md); --account %s runs every order with this process's own credentials", operate.AWS, operate.Ambient)
	}
}

// openRoles opens what gives runs their credentials; nil where they have none of
// their own.
func (p Provisioning) openRoles(ctx context.Context) (*awssts.Roles, error) {
	if p.Account != operate.AWS {
		return nil, nil
	}
	accounts, err := awssts.ReadAccounts(p.Accounts)
	if err != nil {
		return nil, err
	}
	return awssts.Open(ctx, accounts)
}
