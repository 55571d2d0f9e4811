/* SPDX-License-Identifier: Apache-2.0 */
#include "convert/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define MEMORY_MAX (1536UL * 1024 * 1024) /* of addresses: the libraries take a third */
#define OUTPUT_MAX (128UL * 1024 * 1024)
#define CPU_SECONDS 30

static bool limit(int resource, rlim_t value)
{
    const struct rlimit wanted = {value, value};
    return setrlimit(resource, &wanted) == 0;
}

/* What remains: memory, threads, clocks, and the descriptors that are open. */
static const int allowed[] = {
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(munmap),
    SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
    SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(membarrier), SCMP_SYS(getcpu),
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday),
    SCMP_SYS(getrandom), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getrusage), SCMP_SYS(sysinfo), SCMP_SYS(uname),
    SCMP_SYS(restart_syscall),
};

/* Those that depend on what they are asked: all comparisons of a row must hold. */
static bool allow_some(scmp_filter_ctx rules)
{
    const struct scmp_arg_cmp not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    const struct scmp_arg_cmp of_no_file = SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS);
    const struct scmp_arg_cmp a_thread = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM);
    const struct scmp_arg_cmp ourselves = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid());
    const struct scmp_arg_cmp a_name = SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME);
    const struct scmp_arg_cmp only_asks = SCMP_A2(SCMP_CMP_EQ, 0);

    return seccomp_rule_add(rules, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, not_executable, of_no_file) == 0 &&
           seccomp_rule_add(rules, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, not_executable) == 0 &&
           seccomp_rule_add(rules, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, a_thread) == 0 &&
           /* its flags are in memory, where a filter cannot look: the C library then takes clone */
           seccomp_rule_add(rules, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0 &&
           seccomp_rule_add(rules, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, ourselves) == 0 &&
           seccomp_rule_add(rules, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, a_name) == 0 &&
           seccomp_rule_add(rules, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, only_asks) == 0;
}

static bool filter(void)
{
    scmp_filter_ctx rules = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    bool good = rules != NULL;

    for (unsigned i = 0; good && i < sizeof allowed / sizeof *allowed; i++)
        good = seccomp_rule_add(rules, SCMP_ACT_ALLOW, allowed[i], 0) == 0;
    good = good && allow_some(rules) && seccomp_load(rules) == 0;
    seccomp_release(rules);
    return good;
}

bool sandbox_enter(const char **why)
{
    *why = "the limits of memory, time and files";
    if (!limit(RLIMIT_AS, MEMORY_MAX) || !limit(RLIMIT_CPU, CPU_SECONDS) || !limit(RLIMIT_FSIZE, OUTPUT_MAX) ||
        !limit(RLIMIT_NOFILE, 3) || !limit(RLIMIT_CORE, 0))
        return false;
    *why = "prctl";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
        return false;
    *why = "the filter of system calls";
    return filter();
}
