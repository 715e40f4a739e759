/** The scripts of a Gradescope autograder (autograder specifications, file hierarchy). */

/** Made once, as root, when Gradescope builds the image: Ubuntu's own Node is too old. */
export const setupScript = `#!/usr/bin/env bash
set -euo pipefail
if node -e 'process.exit(process.versions.node.split(".")[0] >= 20 ? 0 : 1)' 2>/dev/null; then exit 0; fi
apt-get update
apt-get install -y --no-install-recommends ca-certificates curl xz-utils
case "$(uname -m)" in x86_64) machine=x64 ;; aarch64) machine=arm64 ;; *) echo "no Node.js for $(uname -m)"; exit 1 ;; esac
cd "$(mktemp -d)"
from=https://nodejs.org/dist/latest-v22.x
curl -fsSLO "$from/SHASUMS256.txt"
archive=$(grep -o "node-v22[0-9.]*-linux-$machine.tar.xz" SHASUMS256.txt)
curl -fsSLO "$from/$archive"
grep " $archive\\$" SHASUMS256.txt | sha256sum -c -
tar -xJf "$archive" -C /usr/local --strip-components=1
`;

/** Judges the one submission that Gradescope has put there. `AUTOGRADER`: another place, to try it elsewhere. */
export function runScript(lab: string): string {
	return `#!/usr/bin/env bash
set -euo pipefail
root=\${AUTOGRADER:-/autograder}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/class" "$root/results"
# Links stay links: one that leads out of the submission is refused, not followed.
cp -RP "$root/submission" "$work/class/submission"
node "$root/source/xv6-lab/dist/cli/xv6-lab.mjs" grade "$work/class" --lab ${lab} \\
	--policy "$root/source/policy.json" --jobs 1 --out "$work/results.jsonl" --report "$work/report"
cp "$work/report/gradescope/student-001.json" "$root/results/results.json"
`;
}
