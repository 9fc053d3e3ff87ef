# SPDX-License-Identifier: MIT
"""A batch on several machines, as schedulers tell each process which part is its own."""

import unittest

from batch_harness import BatchTest


class ShardsTest(BatchTest):
    def setUp(self):
        super().setUp()
        self.pictures(8)
        self.batch(styles=("styles/red.png",), output="whole")
        self.whole = self.outputs("whole")

    def task(self, *more, command=None, **variables):
        arguments = command or self.arguments(styles=("styles/red.png",))
        return self.start(*arguments, "--shard", "auto", *more, environment=variables)

    def array(self, indices, count=None, lowest=0, command=None):
        """Starts the tasks of a job array at once and waits for them."""
        tasks = [self.task(command=command, SLURM_ARRAY_TASK_ID=str(i), SLURM_ARRAY_TASK_COUNT=str(count or len(indices)),
                           SLURM_ARRAY_TASK_MIN=str(min(indices)), SLURM_ARRAY_TASK_MAX=str(max(indices)))
                 for i in indices]
        for task in tasks:
            _, messages = task.communicate(timeout=120)
            self.assertEqual(task.returncode, 0, messages)

    def test_an_array_makes_each_item_once(self):
        for indices in (range(4), range(1, 5)):
            folder = f"from{indices[0]}"
            self.array(indices, command=self.arguments(styles=("styles/red.png",), output=folder))
            self.assertEqual(self.outputs(folder), self.whole)
            self.assertEqual(sorted(self.records(folder=folder + "/.impasto")), sorted(self.whole))
            self.assertEqual(self.status(folder)["done"], 8)

    def test_the_tasks_that_are_missing_are_started_again(self):
        self.array([0, 2], count=3)
        self.assertGreater(self.status()["missing"], 0)
        missing = self.run_program("status", "out", "--array")
        self.assertEqual((missing.returncode, missing.stdout), (3, "1\n"))
        # Now Slurm counts one task.
        self.array([1])
        self.assertEqual(self.outputs(), self.whole)
        done = self.run_program("status", "out", "--array")
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_other_schedulers(self):
        for number, variables in enumerate((
                [{"SLURM_PROCID": str(i), "SLURM_NTASKS": "2"} for i in range(2)],
                [{"SLURM_ARRAY_TASK_ID": str(a), "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MIN": "0",
                  "SLURM_ARRAY_TASK_MAX": "1", "SLURM_PROCID": str(i), "SLURM_NTASKS": "2"}
                 for a in range(2) for i in range(2)])):
            folder = f"out{number}"
            for task in [self.task(command=self.arguments(styles=("styles/red.png",), output=folder), **one)
                         for one in variables]:
                _, messages = task.communicate(timeout=120)
                self.assertEqual(task.returncode, 0, messages)
            self.assertEqual(self.outputs(folder), self.whole)
        for i in range(2):
            self.batch("--shard", f"{i}/2", styles=("styles/red.png",))
        self.assertEqual(self.outputs(), self.whole)
        # Kubernetes does not say how many there are; the run does.
        self.batch_fails(2, "--shard", "auto", styles=("styles/red.png",), output="other", says="say 1/N",
                         options={"env": {"JOB_COMPLETION_INDEX": "1"}})
        self.succeed("resume", "out", "--shard", "auto", env={"JOB_COMPLETION_INDEX": "1"})

    def test_what_makes_no_sense(self):
        for shard, says in (("2/2", "0 to N - 1"), ("x", "0 to N - 1"), ("-1/2", "0 to N - 1"), ("1/", "0 to N - 1"),
                            ("auto", "SLURM_ARRAY_TASK_ID")):
            self.batch_fails(2, "--shard", shard, styles=("styles/red.png",), says=says)
        self.batch_fails(2, "--shard", "auto", styles=("styles/red.png",), says="must follow one another",
                         options={"env": {"SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_COUNT": "2",
                                          "SLURM_ARRAY_TASK_MIN": "0", "SLURM_ARRAY_TASK_MAX": "4"}})
        self.batch("--shard", "0/2", styles=("styles/red.png",))
        self.batch_fails(2, "--shard", "0/3", styles=("styles/red.png",), says="has 2 shards")
        self.fail_with(2, "resume", "out", "--shard", "0/3", says="has 2 shards")
        self.succeed("resume", "out")
        self.assertEqual(self.outputs(), self.whole)


if __name__ == "__main__":
    unittest.main()
