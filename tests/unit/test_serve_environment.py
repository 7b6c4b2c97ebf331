from lumbar_utils.dashboard.serve import clean_environment


def test_a_kernel_gets_what_it_needs_and_no_secret():
    environment = {
        "PATH": "/usr/bin",
        "HOME": "/home/ada",
        "PYTHONPATH": "/course",
        "LC_ALL": "C.UTF-8",
        "LUMBAR_CACHE": "/tmp/phantoms",
        "VOILA_PREHEAT": "True",
        "SystemRoot": "C:\\Windows",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "GITHUB_TOKEN": "s3cret",
        "PYTHONSTARTUP": "/home/ada/start.py",
        "JUPYTER_TOKEN": "s3cret",
    }
    kept = clean_environment(environment)
    assert "s3cret" not in kept.values() and "PYTHONSTARTUP" not in kept
    assert set(kept) == set(list(environment)[:7])
