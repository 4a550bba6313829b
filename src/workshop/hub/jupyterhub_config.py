"""The hub of a course: who may come in, and what each learner's server is.

What differs between schools comes from the environment, secrets above all; docs/jupyterhub.md lists it. A value that is
missing or wrong ends the hub with one sentence.
"""

import os
import re
import sys

c = get_config()  # noqa: F821


def refuse(sentence):
    sys.exit(f"jupyterhub_config.py: {sentence}")


def wanted(name, meaning):
    value = os.environ.get(name, "").strip()
    return value or refuse(f"{name} is not set: {meaning}")


def names(name):
    return {one.strip() for one in os.environ.get(name, "").split(",") if one.strip()}


def number(name, default, least=0.0):
    text = os.environ.get(name, "").strip() or str(default)
    if re.fullmatch(r"\d+(\.\d+)?", text) and least < float(text):
        return float(text)
    return refuse(f"{name} must be a number above {least:g}, got '{text}'")


def memory(name, default):
    text = os.environ.get(name, "").strip() or default
    if re.fullmatch(r"\d+(\.\d+)?[KMGT]", text):
        return text
    return refuse(f"{name} must be like 2G or 512M, got '{text}'")


# --- Who may come in -----------------------------------------------------------------------------------------------

# A hub that lets anybody in with any name is none: there is no default.
way = wanted("LLM_LAB_HUB_LOGIN", "how do learners log in? lti, oauth or native")
allowed = names("LLM_LAB_HUB_ALLOWED")
if way == "lti":
    # The learning platform says who is enrolled: whoever it sends may come in.
    c.JupyterHub.authenticator_class = "ltiauthenticator.lti13.auth.LTI13Authenticator"
    c.LTI13Authenticator.issuer = wanted("LLM_LAB_HUB_LTI_ISSUER", "the platform's issuer, a URL")
    wanted("LLM_LAB_HUB_LTI_CLIENT", "the client id that the platform gave")
    c.LTI13Authenticator.client_id = names("LLM_LAB_HUB_LTI_CLIENT")
    c.LTI13Authenticator.authorize_url = wanted("LLM_LAB_HUB_LTI_AUTHORIZE", "the platform's OIDC login URL")
    c.LTI13Authenticator.jwks_endpoint = wanted("LLM_LAB_HUB_LTI_KEYS", "the platform's key set URL")
    c.LTI13Authenticator.username_key = os.environ.get("LLM_LAB_HUB_LTI_NAME", "email")
    c.Authenticator.allow_all = True
elif way == "oauth":
    c.JupyterHub.authenticator_class = "oauthenticator.generic.GenericOAuthenticator"
    # The authenticator reads these itself.
    for name in ("CLIENT_ID", "CLIENT_SECRET", "CALLBACK_URL"):
        wanted(f"OAUTH_{name}", "the provider gave it")
    for name in ("AUTHORIZE_URL", "TOKEN_URL", "USERDATA_URL"):
        wanted(f"OAUTH2_{name}", "the provider's documentation says which")
    c.GenericOAuthenticator.username_claim = os.environ.get("LLM_LAB_HUB_OAUTH_NAME", "preferred_username")
    c.GenericOAuthenticator.scope = ["openid", "profile", "email"]
    # A provider may know the whole world: who of it is meant has to be said.
    if not allowed:
        refuse("LLM_LAB_HUB_ALLOWED is not set: names with commas between, or 'all' for everybody of this provider")
    c.Authenticator.allow_all = allowed == {"all"}
elif way == "native":
    # Accounts of the hub's own: people sign up, an admin lets them in at /hub/authorize.
    import nativeauthenticator

    c.JupyterHub.authenticator_class = "nativeauthenticator.NativeAuthenticator"
    c.JupyterHub.template_paths = [os.path.join(os.path.dirname(nativeauthenticator.__file__), "templates")]
    c.NativeAuthenticator.open_signup = False
    c.NativeAuthenticator.check_common_password = True
    c.NativeAuthenticator.minimum_password_length = 12
    c.NativeAuthenticator.allowed_failed_logins = 5
    c.NativeAuthenticator.seconds_before_next_try = 600
    c.Authenticator.allow_all = True
    if not names("LLM_LAB_HUB_ADMINS"):
        refuse("LLM_LAB_HUB_ADMINS is not set: somebody has to let the others in")
else:
    refuse(f"LLM_LAB_HUB_LOGIN must be lti, oauth or native, got '{way}'")
if allowed - {"all"}:
    c.Authenticator.allow_all = False
    c.Authenticator.allowed_users = allowed
c.Authenticator.admin_users = names("LLM_LAB_HUB_ADMINS")

# --- Where the hub is ----------------------------------------------------------------------------------------------

c.JupyterHub.bind_url = os.environ.get("LLM_LAB_HUB_BIND", "http://:8000")
c.JupyterHub.hub_ip = "0.0.0.0"
c.JupyterHub.hub_connect_ip = os.environ.get("LLM_LAB_HUB_HOST", "hub")
c.JupyterHub.db_url = os.environ.get("LLM_LAB_HUB_DB", "sqlite:////srv/jupyterhub/jupyterhub.sqlite")
c.JupyterHub.cookie_secret_file = os.environ.get("LLM_LAB_HUB_COOKIE_SECRET", "/srv/jupyterhub/cookie_secret")
# With an origin for each learner a browser keeps their pages apart; it needs a wildcard name and certificate.
c.JupyterHub.subdomain_host = os.environ.get("LLM_LAB_HUB_SUBDOMAINS", "")
c.JupyterHub.shutdown_on_logout = False
# A class starts in one minute; what is beyond waits its turn instead of failing.
c.JupyterHub.concurrent_spawn_limit = 20
c.JupyterHub.active_server_limit = int(number("LLM_LAB_HUB_SERVERS", 200))

# --- A learner's server --------------------------------------------------------------------------------------------

lab = os.environ.get("LLM_LAB_FOLDER", "/opt/llm-lab")
c.Spawner.cmd = ["node", f"{lab}/src/workshop/hub/start-learner.ts"]
c.Spawner.default_url = "/lab/tree/notebooks/00-start-here.ipynb"
# Only the image's settings count: what lies in a learner's folder cannot keep their server from starting.
c.Spawner.disable_user_config = True
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120
# Measured: JupyterLab takes 145 MiB, a kernel that has checked an exercise 470; training takes more.
c.Spawner.mem_limit = memory("LLM_LAB_HUB_MEMORY", "2G")
c.Spawner.cpu_limit = number("LLM_LAB_HUB_CPUS", 2)
c.Spawner.environment = {}
room = os.environ.get("LLM_LAB_ROOM", "").strip()
if room:
    if not re.fullmatch(r"https?://[^/\s]+/join#[\w-]+", room):
        like = "https://lab.example.org/join#K7M42QXA"
        refuse(f"LLM_LAB_ROOM must be the address that the room's QR code holds, like {like}, got '{room}'")
    c.Spawner.environment["LLM_LAB_ROOM"] = room

c.JupyterHub.spawner_class = "dockerspawner.DockerSpawner"
c.DockerSpawner.image = os.environ.get("LLM_LAB_IMAGE", "llm-lab-learner")
c.DockerSpawner.network_name = os.environ.get("LLM_LAB_HUB_NETWORK", "llm-lab")
c.DockerSpawner.use_internal_ip = True
# The container goes when the server ends, the learner's volume stays.
c.DockerSpawner.remove = True
c.DockerSpawner.volumes = {"llm-lab-{username}": "/home/learner"}
c.DockerSpawner.notebook_dir = "/home/learner"
c.DockerSpawner.extra_host_config = {
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "pids_limit": 512,
}

# --- Servers that nobody uses --------------------------------------------------------------------------------------

culler = [sys.executable, "-m", "jupyterhub_idle_culler"]
idle = int(number("LLM_LAB_HUB_IDLE", 3600, 59))
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle-culler"],
    }
]
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [*culler, f"--timeout={idle}", f"--cull-every={min(300, idle)}"],
    }
]
