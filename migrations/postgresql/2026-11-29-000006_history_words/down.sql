ALTER TABLE history
    ADD CONSTRAINT history_action_check CHECK (action IN ('created', 'changed', 'deleted')),
    ADD CONSTRAINT history_source_check CHECK (source IN (
        'admin', 'api', 'command_line', 'post_confirmation', 'first_token', 'cognito', 'pool_sync'
    ));
