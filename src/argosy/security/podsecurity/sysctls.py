"""Kernel parameters that a pod may set: those that touch nobody else. Newer versions allow more."""

from argosy.security.podsecurity.subject import Subject, Test, Violation

SAFE = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_syncookies",
    }
)
SAFE_1_27 = SAFE | {"net.ipv4.ip_local_reserved_ports"}
SAFE_1_29 = SAFE_1_27 | {
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
}
SAFE_1_32 = SAFE_1_29 | {"net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem"}
SAFE_1_37 = SAFE_1_32 | {
    "net.ipv4.tcp_notsent_lowat",
    "net.ipv4.tcp_slow_start_after_idle",
}


def only(safe: frozenset[str]) -> Test:
    """The check that allows no others."""

    def sysctls(subject: Subject) -> Violation | None:
        wanted = subject.context.get("sysctls")
        if not wanted:
            return None
        bad = [name for one in wanted if (name := one.get("name") or "") not in safe]
        return Violation("forbidden sysctls", ", ".join(bad)) if bad else None

    return sysctls
