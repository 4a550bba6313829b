"""The shipped configuration, its login by LTI included, with what a test on one machine needs instead of containers."""

import os

test = os.environ["HUB_TEST_FOLDER"]
load_subconfig("jupyterhub_config.py", path=os.environ["HUB_TEST_CONFIG"])  # noqa: F821
c = get_config()  # noqa: F821

port = int(os.environ["HUB_TEST_PORT"])
c.JupyterHub.bind_url = f"http://127.0.0.1:{port}"
c.JupyterHub.hub_ip = c.JupyterHub.hub_connect_ip = "127.0.0.1"
c.JupyterHub.hub_port = int(os.environ["HUB_TEST_HUB_PORT"])
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{os.environ['HUB_TEST_API_PORT']}"
c.JupyterHub.db_url = f"sqlite:///{test}/hub.sqlite"
c.JupyterHub.cookie_secret_file = f"{test}/cookie_secret"

c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = f"{test}/{{username}}"
# Test machines often have nobody but root.
c.Spawner.args = ["--ServerApp.allow_root=True"]
# JupyterLab is in an environment of its own here, beside the hub's.
jupyterlab = os.environ["HUB_TEST_JUPYTERLAB"]
c.Spawner.environment = {
    **c.Spawner.environment,
    "JUPYTERLAB_DIR": f"{jupyterlab}/share/jupyter/lab",
    "JUPYTER_PATH": f"{jupyterlab}/share/jupyter",
    "JUPYTER_CONFIG_PATH": f"{jupyterlab}/etc/jupyter",
    # The hub hears at once of what a learner does.
    "JUPYTERHUB_ACTIVITY_INTERVAL": "5",
}
# Known to the test, which runs the culler a second time with less patience and the same rights.
c.JupyterHub.services[0]["api_token"] = os.environ["HUB_TEST_CULLER_TOKEN"]
