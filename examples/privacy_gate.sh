#!/usr/bin/env bash
# A privacy gate in a CI pipeline.
#
# Trains a model, audits it, and exports it only where the audit shows that it leaks little enough.
# It ends with 0 where the export is written; with 1 where the audit does not show it, be it that
# the model leaks more or that the audit tried too little; with 2 where something could not be run.
# In GitHub Actions:
#
#     - run: pip install -c constraints.txt '.[serve]'
#     - run: examples/privacy_gate.sh build
#     - uses: actions/upload-artifact@v4
#       if: always()   # the report says why the gate stayed closed
#       with: {name: privacy-report, path: build/report}
#
# Usage: examples/privacy_gate.sh OUT [--smoke]
set -euo pipefail

out="$1"
limit=0.3
epochs=8
effort=()   # what makes an audit shorter makes it no proof: with --smoke the gate stays closed
if [ "${2:-}" = --smoke ]; then
  epochs=1
  effort=(--attack decoder --budget 0.01x --victims 8 --quick)
fi

mixcon train --data digits --epochs "$epochs" --out "$out/run" \
  --defense "code(bits=8) + unicon(weight=0.3, on=z)"
mixcon audit "$out/run" --out "$out/report" --fail-above "excess=$limit" "${effort[@]}"
mixcon export "$out/run" --report "$out/report/report.json" --out "$out/deploy" --valid-days 90
