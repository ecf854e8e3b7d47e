//! AWS partitions: groups of regions whose services have a domain of their own.
//!
//! <https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>, and the regions and
//! domains of `partitions.json` in AWS's SDKs.

/// The starts of region names, with the domain of their partition's API endpoints, which is also that of issuers.
const DOMAINS: [(&str, &str); 6] = [
    ("cn-", "amazonaws.com.cn"),
    ("eusc-", "amazonaws.eu"),
    ("us-iso-", "c2s.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov"),
    ("us-isof-", "csp.hci.ic.gov"),
    ("eu-isoe-", "cloud.adc-e.uk"),
];

/// The host of a service in a region: `cognito-idp.eu-west-1.amazonaws.com`.
pub fn endpoint(service: &str, region: &str) -> String {
    // `aws` itself and `aws-us-gov` share one domain.
    let domain =
        DOMAINS.iter().find(|(start, _)| region.starts_with(start)).map_or("amazonaws.com", |(_, domain)| domain);
    format!("{service}.{region}.{domain}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_its_domain() {
        for (region, host) in [
            ("eu-west-1", "cognito-idp.eu-west-1.amazonaws.com"),
            ("il-central-1", "cognito-idp.il-central-1.amazonaws.com"),
            ("us-gov-west-1", "cognito-idp.us-gov-west-1.amazonaws.com"),
            ("cn-north-1", "cognito-idp.cn-north-1.amazonaws.com.cn"),
            ("cn-northwest-1", "cognito-idp.cn-northwest-1.amazonaws.com.cn"),
            ("us-iso-east-1", "cognito-idp.us-iso-east-1.c2s.ic.gov"),
            ("us-isob-east-1", "cognito-idp.us-isob-east-1.sc2s.sgov.gov"),
            ("eu-isoe-west-1", "cognito-idp.eu-isoe-west-1.cloud.adc-e.uk"),
            ("us-isof-south-1", "cognito-idp.us-isof-south-1.csp.hci.ic.gov"),
            ("eusc-de-east-1", "cognito-idp.eusc-de-east-1.amazonaws.eu"),
        ] {
            assert_eq!(endpoint("cognito-idp", region), host);
        }
    }
}
