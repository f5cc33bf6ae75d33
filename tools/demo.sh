#!/usr/bin/env bash
# Self-service from order to audit, with real commands: a server on a free port, in
# a folder of its own, whose orders go to a rehearsal account.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d "${TMPDIR:-/tmp}/redoubt-demo-XXXXXX")
server=
end() {
	status=$?
	[ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || true; }
	if [ $status -eq 0 ]; then rm -rf "$folder"; else echo "The server's log is $folder/log"; fi
	exit $status
}
trap end EXIT

bold='' plain=''
if [ -t 1 ]; then bold=$'\e[1m' plain=$'\e[0m'; fi
say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# run PERSON ARGUMENTS… shows a command, and runs it with the person's token.
run() {
	local person=$1
	shift
	printf '%s$ redoubt' "$person"
	printf ' %q' "$@"
	printf '\n'
	REDOUBT_TOKEN=$(cat "$folder/$person") bin/redoubt "$@" 2>&1
}

# refused is run for what must not succeed.
refused() {
	if run "$@"; then
		echo "This was to be refused."
		return 1
	fi
}

# briefly leaves out what is said of each resource, advice, and outputs.
briefly() { awk '/^  advisory/ { advice = 1; next } /^ ? ?[^ ]/ { advice = 0 } advice || /^  [-+~]  / || /^  [A-Za-z]+: ["{\[0-9]/ { next } { print }'; }

# field PERSON JQ-LIKE-KEY ARGUMENTS… is one field of a JSON answer.
field() {
	local person=$1 key=$2
	shift 2
	REDOUBT_TOKEN=$(cat "$folder/$person") bin/redoubt "$@" --json | sed -n "s/^ *\"$key\": \"\(.*\)\",*\$/\1/p" | head -n 1
}

say "A server, on a free port. Its orders go to a rehearsal account: nothing is real."
echo '{"kms-deletion-window-30": "mandatory"}' >"$folder/policy.json"
bin/redoubt serve --policy-config "$folder/policy.json" --listen 127.0.0.1:0 --data "$folder/data" --bootstrap-token-file "$folder/admin" >"$folder/out" 2>"$folder/log" &
server=$!
until grep -q '^Redoubt is ready on' "$folder/out"; do
	kill -0 "$server" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
	read -rt 0.1 <> <(:) || true
done
REDOUBT_URL=$(sed -n 's/^Redoubt is ready on \([^ ]*\) .*/\1/p' "$folder/out")
export REDOUBT_URL
echo "$REDOUBT_URL"

say "The administrator makes a project in which two people see to every order, and gives three people their roles."
cat >"$folder/settings.json" <<'JSON'
{"rehearse": true, "approval_rules": [{"name": "four-eyes", "required": 1}], "quota": {}}
JSON
run admin project create main/shop --settings "$folder/settings.json"
for who in rita:requester anna:approver omar:operator; do
	person=${who%:*}
	run admin bindings create "user:$person" "${who#*:}" main/shop
	REDOUBT_TOKEN=$(cat "$folder/admin") bin/redoubt token create --name "$person" --principal "$person" --human "$person" \
		--grant 'main/shop/*:read,decrypt,preview,apply' >"$folder/$person" 2>/dev/null
done

say "What can be ordered?"
run rita blueprints

say "Rita orders a bucket whose key is gone seven days after its deletion. The organization insists on the guide's thirty: refused."
refused rita order secure-bucket --project main/shop --name logs --set region=eu-central-1 --set keyDeletionDays=7 --wait | briefly

say "Rita orders the whole defense in depth. Rehearsed, previewed and found good, it waits for a second person."
run rita order defense-in-depth --project main/shop --name dev --inputs tools/demo-inputs.json --wait | briefly
operation=$(field rita id operations list --state awaiting_approval)
digest=$(field anna plan_digest operations show "$operation")

say "She cannot approve it herself. Anna can, and approves this plan and no other."
refused rita approve "$operation" --digest "$digest"
run anna approve "$operation" --digest "$digest" --comment "as discussed"
run anna operations watch "$operation" | briefly
run rita environments list

say "The stack is Pulumi's: the stock CLI sees it, and may not change it past the people."
export PULUMI_HOME="$folder/pulumi" PULUMI_SKIP_UPDATE_CHECK=true PULUMI_ACCESS_TOKEN
PULUMI_ACCESS_TOKEN=$(cat "$folder/rita")
pulumi=$(command -v bin/pulumi || command -v pulumi)
"$pulumi" login "$REDOUBT_URL"
"$pulumi" stack ls --all
echo 'rita$ pulumi refresh --stack main/shop/dev --yes'
if (cd "$folder" && printf 'name: shop\nruntime: yaml\n' >Pulumi.yaml && "$OLDPWD/$pulumi" refresh --stack main/shop/dev --yes --skip-preview 2>&1); then
	echo "This was to be refused." >&2
	exit 1
fi

say "Everything is in the audit log, which nobody can change unseen."
run admin audit verify
