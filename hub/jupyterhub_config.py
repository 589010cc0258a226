"""A JupyterHub for a class on one machine of your own: `.venv-hub/bin/jupyterhub -f hub/jupyterhub_config.py`.

`make hub-env` installs all that it needs. TEACHING.md, "On a JupyterHub", says what comes before and after.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

# In full: a file that is not found would be passed over without a word.
load_subconfig(str(HERE / "course.py"))  # noqa: F821 - JupyterHub defines both names
c = get_config()  # noqa: F821

c.ConfigurableHTTPProxy.command = [str(HERE / "node_modules" / ".bin" / "configurable-http-proxy")]
# Whoever has an account on this machine, with its password. The course does not mind another authenticator.
c.JupyterHub.authenticator_class = "pam"
c.Authenticator.allow_all = True
# Only systemd keeps learners to the limits of course.py; without it nothing does.
c.JupyterHub.spawner_class = (
    "systemd" if Path("/run/systemd/system").is_dir() else "jupyterhub.spawner.LocalProcessSpawner"
)
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
# A server that nobody used for an hour is ended, and its memory is free. Files stay; the kernels' variables go.
c.JupyterHub.services.append(
    {"name": "idle-culler", "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600"]}
)
c.JupyterHub.load_roles.append(
    {
        "name": "idle-culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle-culler"],
    }
)
