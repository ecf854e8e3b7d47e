DROP TABLE service_account_permissions;
DROP TABLE service_accounts;
