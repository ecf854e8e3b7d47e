//! What is wrong with the description of a resource is told when the server starts.

use std::collections::HashMap;

use gatepost::admin::Site;
use gatepost::admin::model_admin::{Fieldset, Filter, Options};
use gatepost::api::ModelViewSet;
use gatepost::config::Config;
use gatepost::models::{Field, Model};
use gatepost::server::{self, Resources};

use super::tags;
use crate::harness::assert_has;
use crate::harness::database::TestDatabase;

#[test]
fn a_description_that_contradicts_itself_is_refused_at_start() {
    static COLUMN: Options = Options { list_display: &["name", "colour"], ..Options::new(&tags::TAG) };
    static SECTION: Options = Options {
        fieldsets: &[Fieldset { label: "", fields: &["colour"], collapse: false }],
        ..Options::new(&tags::TAG)
    };
    static ORDER: Options = Options { ordering: &["-colour"], ..Options::new(&tags::TAG) };
    static FILTER: Options = Options { list_filter: &[Filter::field("colour")], ..Options::new(&tags::TAG) };
    static READ_ONLY: ModelViewSet = ModelViewSet { read_only_fields: &["colour"], ..ModelViewSet::new(&tags::TAG) };
    let in_admin = |options: &'static Options| Resources { api: vec![], site: Site::default().register(options) };
    let in_api = Resources { api: vec![&READ_ONLY], site: Site::default() };
    for (resources, mistake) in [
        (in_admin(&COLUMN), "the admin of tags: the model has no field colour"),
        (in_admin(&SECTION), "the admin of tags: the model has no field colour"),
        (in_admin(&ORDER), "the admin of tags: the list has no column colour that it can be ordered by"),
        (in_admin(&FILTER), "the admin of tags: the model has no field colour"),
        (in_api, "/tags/: the model has no field colour"),
    ] {
        let config = Config::from_variables(&HashMap::new()).expect("settings");
        let built = actix_web::rt::System::new().block_on(server::build_with(&config, resources));
        assert_eq!(built.err().expect("a refusal").to_string(), mistake);
    }
}

#[tokio::test]
async fn what_the_table_lacks_is_named_at_the_start() {
    const fn of_table(plural: &'static str) -> Model {
        const FIELDS: &[Field] = &[Field::char("name", 50), Field::char("venue", 20).blank()];
        Model { name: "meeting", plural, title: "name", fields: FIELDS }
    }
    static WITHOUT_COLUMN: Model = of_table("articles");
    static WITHOUT_TABLE: Model = of_table("meetings");
    static WITHOUT_CHECK: Model = Model {
        name: "meeting",
        plural: "articles",
        title: "name",
        fields: &[Field::char("name", 50).check("articles_rule", "It breaks a rule.")],
    };
    static RULES: Options = Options::new(&WITHOUT_CHECK);
    static WITHOUT_INDEX: Model = Model {
        name: "article",
        plural: "articles",
        title: "id",
        fields: &[Field::datetime("updated_at").order().auto_now()],
    };
    static ORDER: ModelViewSet = ModelViewSet::new(&WITHOUT_INDEX);
    static MEETINGS: Options = Options::new(&WITHOUT_COLUMN);
    static API: ModelViewSet = ModelViewSet::new(&WITHOUT_TABLE);
    for (resources, mistakes) in [
        (Resources { api: server::api(), site: server::site().register(&MEETINGS) }, ["model meeting: ", "venue"]),
        (Resources { api: vec![&API], site: server::site() }, ["model meeting: ", "meetings"]),
        (Resources { api: vec![], site: Site::default().register(&RULES) }, ["model meeting: ", "articles_rule"]),
        (
            Resources { api: vec![&ORDER], site: Site::default() },
            [
                "/articles/: the list can be ordered by updated_at",
                "CREATE INDEX articles_updated_at ON articles (updated_at, id)",
            ],
        ),
    ] {
        let database = TestDatabase::new();
        let variables = [
            ("AWS_USER_POOLS_ID", "eu-west-1_TestPool1"),
            ("AWS_APP_CLIENT_ID", "1testclient23456789abcdefg"),
            ("BIND_ADDRESS", "127.0.0.1:0"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut config = Config::from_variables(&HashMap::from(variables)).expect("settings");
        config.database = database.url.clone();
        let start = move || actix_web::rt::System::new().block_on(server::build_with(&config, resources)).err();
        let refusal = std::thread::spawn(start).join().expect("a start").expect("a refusal").to_string();
        assert_has(&refusal, &mistakes);
    }
}
