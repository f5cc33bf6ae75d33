package config

import (
	"fmt"

	"redoubt/infra/singleton"
)

// Layer is which part of the guide's stack a stack is. An account with one
// environment takes All; with several, one stack of layer Account and one of
// layer Workload for each.
type Layer string

// The layers.
const (
	All      Layer = "all"
	Org      Layer = "org"
	Account  Layer = "account"
	Workload Layer = "workload"
)

// Account is true for stacks that make what an account has one of.
func (l Layer) Account() bool { return l != Workload }

// Workload is true for stacks that run an application.
func (l Layer) Workload() bool { return l != Account && l != Org }

// inLayer takes out of an environment's defaults what stacks of other layers
// do.
func (c Config) inLayer(layer Layer) Config {
	c.Layer = layer
	if !layer.Workload() {
		// What is copied elsewhere is first of all an environment's data.
		c.Storage.Replication, c.Backup.CopyToReplica, c.Backup.Enabled = false, false, false
		c.Audit.DataEvents, c.Detection.MalwareScan = false, false
		c.Response.Mode, c.Response.GameDay = "off", false
	}
	if !layer.Account() {
		for _, s := range []*singleton.Singleton{
			&c.Detection.GuardDuty, &c.Detection.Config, &c.Detection.SecurityHub, &c.Identity.PasswordPolicy, &c.Identity.TokenPreferences,
			&c.Identity.AccountGuards, &c.API.Account,
		} {
			*s = adopt
		}
		for _, s := range []*singleton.Singleton{
			&c.Audit.Trail, &c.Detection.Inspector, &c.Detection.Macie, &c.Costs.Monitor, &c.Identity.ExternalAnalyzer,
			&c.Identity.ExternalAnalyzerElsewhere, &c.Identity.UnusedAnalyzer, &c.Contacts.Alternate,
		} {
			*s = off
		}
		c.Audit.DataEvents, c.Audit.Functions, c.Audit.Insights = false, false, false
		c.Detection.Features, c.Detection.Standards, c.Detection.Inspected, c.Detection.Rules = nil, nil, nil, "none"
		c.Alerting.AccountEvents, c.Identity.AccessReview = false, false
		c.Search.CreateServiceLinkedRole = false
	}
	return c
}

// validateLayer refuses what a layer's stack would leave undone.
func (c Config) validateLayer(fs *Findings) {
	if c.Layer == Org && c.Identity.Organization == nil {
		fs.add("identity.organization", "a stack of layer org makes the organization's policies, and there are none", "targets, allowedRegions and custodians, or layer: account")
	}
	if c.Layer.Workload() {
		return
	}
	for _, row := range []struct {
		field string
		set   bool
	}{
		{"backup.enabled", c.Backup.Enabled},
		{"audit.dataEvents", c.Audit.DataEvents},
		{"detection.malwareScan", c.Detection.MalwareScan},
		{"identity.deployRole", c.Identity.DeployRole != nil},
		{"identity.tokenSigner", c.Identity.TokenSigner != nil},
		{"api.routes", len(c.API.Routes) > 0},
		{"response.mode", c.Response.Mode != "off"},
	} {
		if row.set {
			fs.add(row.field, fmt.Sprintf("a stack of layer %s has no workload", c.Layer), "set it in the stack of layer workload")
		}
	}
}
