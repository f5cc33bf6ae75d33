package replay_test

import (
	"encoding/json"
	"fmt"

	"redoubt/automation/backend/replay"
)

func ExampleReplay() {
	base := json.RawMessage(`{"version":3,"deployment":{"resources":[
		{"urn":"urn:pulumi:dev::shop::aws:s3/bucket:Bucket::logs","type":"aws:s3/bucket:Bucket","custom":true,"id":"logs"}]}}`)
	result, err := replay.Replay(base, replay.Entries(
		// A step began to delete the base's first resource, and did.
		json.RawMessage(`{"version":1,"kind":0,"sequenceID":1,"operationID":1,"operation":{"type":"deleting","resource":
			{"urn":"urn:pulumi:dev::shop::aws:s3/bucket:Bucket::logs","type":"aws:s3/bucket:Bucket"}}}`),
		json.RawMessage(`{"version":1,"kind":1,"sequenceID":2,"operationID":1,"removeOld":0,"removeNew":null}`),
		// Another began to create a bucket, and the CLI died.
		json.RawMessage(`{"version":1,"kind":0,"sequenceID":3,"operationID":2,"operation":{"type":"creating","resource":
			{"urn":"urn:pulumi:dev::shop::aws:s3/bucket:Bucket::media","type":"aws:s3/bucket:Bucket"}}}`),
	), replay.Options{})
	fmt.Println(err, result.Resources, result.PendingCreates(), result.Pending)
	// Output: <nil> 0 1 [{creating urn:pulumi:dev::shop::aws:s3/bucket:Bucket::media}]
}

func ExampleRename() {
	state := json.RawMessage(`{"version":3,"deployment":{"resources":[{"urn":"urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev"}]}}`)
	renamed, err := replay.Rename(state,
		replay.StackIdentity{Project: "shop", Stack: "dev"}, replay.StackIdentity{Project: "shop", Stack: "prod"})
	fmt.Println(string(renamed), err)
	// Output: {"version":3,"deployment":{"resources":[{"urn":"urn:pulumi:prod::shop::pulumi:pulumi:Stack::shop-prod"}]}} <nil>
}
