/* SPDX-License-Identifier: Apache-2.0 */
/* All commands of umpctl, which its manual page lists too: one table per noun. */
#include "ctl/ctl.h"

const struct ctl_command *const ctl_commands[] = {
    ctl_system_commands,       ctl_account_commands, ctl_endpoint_commands, ctl_sender_commands,
    ctl_contact_commands, ctl_conversation_commands, ctl_stats_commands, ctl_queue_commands, ctl_backup_commands, ctl_doctor_commands,
    ctl_channel_commands,      ctl_template_commands, ctl_text_commands, NULL};
