# SPDX-License-Identifier: MIT
"""A batch on a real Slurm: one node on the loopback, whose daemons this test starts and ends. Needs root
and the packages slurm-wlm and munge. TEST_PROGRAM is the program."""

import hashlib
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAM = os.environ.get("TEST_PROGRAM", os.path.join(ROOT, "build/release/bin/impasto"))
OPTIONS = ("--content-layers", "conv2_1", "--style-layers", "conv1_1,conv2_1", "--size", "32", "--learning-rate", "0.5")

CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort=17817
SlurmdPort=17818
AuthInfo=socket={folder}/munge/socket
CredType=cred/munge
SlurmUser=root
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=1
MpiDefault=none
ReturnToService=2
JobRequeue=1
MinJobAge=300
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=FORCE:4
"""

JOB = """#!/bin/sh
#SBATCH --array=0-3
#SBATCH --requeue
#SBATCH --open-mode=append
{program} batch {folder}/in --styles {folder}/red.png -o {folder}/out --weights {folder}/w.h5 {options} \\
  --iterations 60 --shard auto --quiet
status=$?
case $status in
  75 | 143) scontrol requeue "$SLURM_JOB_ID" ;;
esac
exit $status
"""


class Slurm:
    """munged, slurmctld and slurmd, with everything they keep in one folder."""

    def __init__(self, folder):
        self.folder, self.daemons = folder, []
        os.chmod(folder, 0o755)
        for name in ("munge", "state", "spool"):
            os.mkdir(os.path.join(folder, name))
        self.write("slurm.conf", CONFIGURATION.format(folder=folder, host=os.uname().nodename.split(".")[0],
                                                      cpus=os.cpu_count()))
        self.environment = {**os.environ, "SLURM_CONF": os.path.join(folder, "slurm.conf")}
        self.start_munge()
        self.start("slurmctld", "-D", "-i")
        self.start("slurmd", "-D")
        self.wait(lambda: "idle" in self.ask("sinfo", "-h", "-o", "%T"), "the node is not idle")

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def start_munge(self):
        place = os.path.join(self.folder, "munge")
        with open(os.path.join(place, "key"), "wb") as file:
            file.write(os.urandom(128))
        os.chmod(os.path.join(place, "key"), 0o400)
        os.chmod(place, 0o755)
        user = pwd.getpwnam("munge")
        for path in (place, os.path.join(place, "key")):
            os.chown(path, user.pw_uid, user.pw_gid)
        self.start("munged", "--foreground", "--force", f"--socket={place}/socket", f"--key-file={place}/key",
                   f"--pid-file={place}/pid", f"--log-file={place}/log", f"--seed-file={place}/seed",
                   user=user.pw_uid, group=user.pw_gid)
        self.wait(lambda: os.path.exists(f"{place}/socket"), "munged does not start")

    def start(self, *command, **options):
        log = open(os.path.join(self.folder, command[0] + ".out"), "wb")
        self.daemons.append(subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, **options))

    def ask(self, *command):
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60).stdout

    def wait(self, condition, failure, seconds=120):
        for _ in range(10 * seconds):
            if condition():
                return
            time.sleep(0.1)
        logs = [name for name in os.listdir(self.folder) if name.endswith((".log", ".out"))]
        raise RuntimeError(failure + "\n" + "\n".join(
            open(os.path.join(self.folder, name), encoding="utf-8", errors="replace").read()[-2000:] for name in logs))

    def stop(self):
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


@unittest.skipUnless(os.geteuid() == 0, "its daemons need root")
@unittest.skipUnless(shutil.which("slurmctld") and shutil.which("munged"), "Slurm is not installed")
class SlurmTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="impasto_slurm_")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.slurm = Slurm(self.folder)
        self.addCleanup(self.slurm.stop)
        self.run_program("weights", "generate", self.path("w.h5"))
        self.run_program("samples", self.folder, "--size", "40")
        os.rename(self.path("painting.png"), self.path("red.png"))
        os.mkdir(self.path("in"))
        for i in range(40):
            shutil.copy(self.path("scene.png"), self.path(f"in/{i:02}.png"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_program(self, *arguments):
        return subprocess.run([PROGRAM, *arguments], check=True, capture_output=True, text=True, timeout=600).stdout

    def outputs(self, folder):
        found = {}
        for name in os.listdir(self.path(folder)):
            if not name.startswith("."):
                with open(self.path(f"{folder}/{name}"), "rb") as file:
                    found[name] = hashlib.sha256(file.read()).hexdigest()
        return found

    def records(self):
        return [json.load(open(os.path.join(parent, name), encoding="utf-8"))["output"]
                for parent, _, files in os.walk(self.path("out/.impasto/done")) for name in files]

    def test_an_array_with_a_killed_task(self):
        options = " ".join(OPTIONS)
        self.slurm.write("job.sh", JOB.format(program=PROGRAM, folder=self.folder, options=options))
        said = self.slurm.ask("sbatch", "-D", self.folder, self.path("job.sh"))
        job = said.split()[-1]
        self.slurm.wait(lambda: os.path.isdir(self.path("out/.impasto/done")), "nothing is made")
        # As a node that dies, or a job that is preempted.
        self.slurm.ask("scontrol", "requeue", f"{job}_2")
        # Slurm would start it two minutes later.
        self.slurm.wait(lambda: "BeginTime" in self.slurm.ask("squeue", "-h", "-j", f"{job}_2", "-o", "%r"),
                        "the task is not requeued")
        self.slurm.ask("scontrol", "update", f"JobId={job}_2", "StartTime=now")
        self.slurm.wait(lambda: self.slurm.ask("squeue", "-h", "-j", job).strip() == "", "the array does not end",
                        seconds=600)
        missing = subprocess.run([PROGRAM, "status", self.path("out"), "--array"], capture_output=True, text=True)
        if missing.returncode != 0:
            self.slurm.ask("sbatch", "-D", self.folder, f"--array={missing.stdout.strip()}", self.path("job.sh"))
            self.slurm.wait(lambda: self.slurm.ask("squeue", "-h").strip() == "", "the array does not end",
                            seconds=600)
        self.run_program("status", self.path("out"))
        made = self.outputs("out")
        self.assertEqual(len(made), 40)
        self.assertEqual(sorted(self.records()), sorted(made))
        self.run_program("batch", self.path("in"), "--styles", self.path("red.png"), "-o", self.path("alone"),
                         "--weights", self.path("w.h5"), *OPTIONS, "--iterations", "60", "--quiet")
        self.assertEqual(made, self.outputs("alone"))


if __name__ == "__main__":
    sys.exit(unittest.main())
