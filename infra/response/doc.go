// Package response answers incidents: it detects, analyses, contains, removes
// and recovers with a state machine that asks people before it touches
// anything, and holds the runbooks for what only people can do.
//
// An incident is one execution of the machine, from the finding to the report:
//
//	finding, alarm, operator
//	  │ Normalise ─ Remember ──────────► Duplicate: handled already
//	  │ Classify ─ IdentifyScope ─ DetermineImpact
//	  │ Analyse: GuardDuty │ metrics │ logs │ audit log │ configuration
//	  │ PreserveAnalysis ─ TellAnalysis
//	  │ exempt, protected, root … ─────► LeftToPeople
//	  │ AskContainment (or AutoContain) ► denied: LeftToPeople
//	  │ MarkContainment: the stack refuses to deploy from here …
//	  │ Contain ─ block address ─ Settle ─ Verify ─ PreserveContainment
//	  │ AskEradication ─ Eradicate ─ 30 minutes ─ VerifyRemoval
//	  │ AskRecovery ─ Restore ─ VerifyFunctionality
//	  │ ClearMarker: … to here
//	  │ watch for 72 hours
//	  ▼ report, closed
//
// Every error, every question without an answer and everything that is not
// proved goes to Escalate: people are told, and the execution fails, which an
// alarm notices even if the notice is lost. Containment stays in place and the
// marker stays set until people take both away.
//
// Nothing that the machine changes is in the stack's state: IP sets, network
// ACL entries, policies and groups that it writes are ignored or unknown there.
// The definition holds no outputs, so that it can be read at preview and run by
// tests (internal/aslrun) with an account that the test plays.
package response
