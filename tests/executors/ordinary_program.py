"""A worker program whose trials are what ordinary programs do, tried from a child of the fork server."""

import json
import traceback

from novum.core.model.trial import TrialOutput


def run(group):
    """Run each source of the gene `programs`; the artefact names those that failed, with their tracebacks."""
    failed = {}
    for name, source in json.loads(str(group.candidate.genome["programs"])).items():
        try:
            exec(source, {})
        except BaseException:
            failed[name] = traceback.format_exc()
    return [TrialOutput(trial.id, json.dumps(failed).encode()) for trial in group.trials]
