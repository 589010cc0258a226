"""Settings of the course for a JupyterHub on one machine.

The Littlest JupyterHub reads this file out of /opt/tljh/config/jupyterhub_config.d/; jupyterhub_config.py beside it,
for a hub of your own, loads it. TEACHING.md, "On a JupyterHub", has the commands. The numbers were measured by
`make classroom` and stand in measured.toml; tests/test_hub.py holds these settings against them.
"""

c = get_config()  # noqa: F821 - how JupyterHub hands over its settings

# A start takes 2.3 s of a processor, and 20 at once wait for each other: the last server was there after 49 s. With
# the default of 30 s, 8 of 20 learners on two busy cores got none. This is twice what all that may start at once need.
c.Spawner.http_timeout = 300
c.Spawner.start_timeout = 300
# Whoever comes while so many servers start gets an error page, "Too many users", so it is more than a class.
c.JupyterHub.concurrent_spawn_limit = 50
# Server and lesson 02 take 0.81 GB, server and lesson 10 with a run of the arena 1.16 GB, server and five open lessons
# less than 2 GB (benchmarks/binder.py).
c.Spawner.mem_limit = "2G"
# For one kernel that wants more, systemd would end the learner's server. So it ends the kernel, and JupyterLab says so.
c.SystemdSpawner.unit_extra_properties = {"OOMPolicy": "continue"}
# Lesson 02 takes 15 s of a processor in all; a run of the arena keeps two of them busy, and needs no more.
c.Spawner.cpu_limit = 2
# Exercises are ended after 20 s by the clock, which is little where twenty people check theirs on two cores.
c.Spawner.environment.update({"COURSE_CHECK_SECONDS": "60"})
